//! Reading `name = value, …` and finding every mistake in it.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::ext::IdentExt as _;
use syn::{Error, Result};

use crate::check;
use crate::parameters::{self, Kind, Macro, Parameter};
use crate::tokens::is_punct;

/// The arguments of one use of a macro, checked as far as possible at compile time.
pub(crate) struct Arguments {
    /// The path of the crate `eco2ai`.
    pub(crate) runtime: TokenStream,
    /// The name of the function in the row, if given.
    pub(crate) name: Option<TokenStream>,
    /// The argument `err`.
    pub(crate) err: Option<Ident>,
    /// Whether all values are literals.
    pub(crate) constant: bool,
    /// The setters' names and values.
    settings: Vec<(Ident, TokenStream)>,
}

impl Arguments {
    /// Reads the arguments of `of`.
    ///
    /// # Errors
    /// Returns all mistakes, each on its token.
    pub(crate) fn read(input: TokenStream, of: Macro) -> Result<Self> {
        let mut reader = Reader { tokens: input.into_iter().collect(), at: 0, mistakes: None };
        let mut arguments = Self {
            runtime: quote_spanned!(Span::mixed_site()=> ::eco2ai),
            name: None,
            err: None,
            constant: true,
            settings: Vec::new(),
        };
        let mut seen: Vec<&str> = Vec::new();
        while reader.at < reader.tokens.len() {
            let Some((parameter, key, value)) = reader.argument(of) else { continue };
            if seen.contains(&parameter.name) {
                reader.mistake(Error::new(
                    key.span(),
                    format!("`{}` is given twice", parameter.name),
                ));
                continue;
            }
            seen.push(parameter.name);
            let constant = match check::value(parameter, &value) {
                Ok(constant) => constant,
                Err(mistake) => {
                    reader.mistake(mistake);
                    continue;
                }
            };
            match parameter.kind {
                Kind::Crate => arguments.runtime = value,
                Kind::Name => arguments.name = Some(value),
                Kind::Flag => arguments.err = Some(key),
                _ => {
                    arguments.constant &= constant;
                    arguments.settings.push((Ident::new(parameter.name, key.span()), value));
                }
            }
        }
        reader.mistakes.map_or(Ok(arguments), Err)
    }

    /// Returns the expression that passes the arguments to the setters of the same names.
    pub(crate) fn builder(&self) -> TokenStream {
        let runtime = &self.runtime;
        let setters = self.settings.iter().map(|(name, value)| {
            let mixed = Span::mixed_site();
            // The dot and the parentheses are ours, so that no lint judges them as the user's.
            quote_spanned!(mixed=> .#name(#value))
        });
        quote_spanned!(Span::mixed_site()=> #runtime::Tracker::builder() #(#setters)*)
    }
}

struct Reader {
    tokens: Vec<TokenTree>,
    at: usize,
    mistakes: Option<Error>,
}

impl Reader {
    fn mistake(&mut self, mistake: Error) {
        match &mut self.mistakes {
            Some(mistakes) => mistakes.combine(mistake),
            None => self.mistakes = Some(mistake),
        }
    }

    /// Reads one argument and the comma after it. Notes a mistake and returns `None` if it is
    /// wrong.
    fn argument(&mut self, of: Macro) -> Option<(&'static Parameter, Ident, TokenStream)> {
        let first = self.tokens[self.at].clone();
        let TokenTree::Ident(key) = &first else {
            let expected = "expected an argument such as `project = \"MNIST\"`";
            self.mistake(Error::new_spanned(&first, expected));
            self.skip();
            return None;
        };
        self.at += 1;
        let known = parameters::find(of, &key.unraw().to_string());
        let parameter = match known {
            Ok(parameter) => parameter,
            Err(message) => {
                self.mistake(Error::new(key.span(), message));
                self.skip();
                return None;
            }
        };
        let name = parameter.name;
        let example = parameter.example;
        let mistake = match self.tokens.get(self.at) {
            Some(equals) if is_punct(equals, '=') && !self.is_punct_at(self.at + 1, '=') => {
                if matches!(parameter.kind, Kind::Flag) {
                    Error::new_spanned(equals, format!("`{name}` takes no value"))
                } else {
                    let equals = equals.clone();
                    let value = self.value();
                    let last = value.clone().into_iter().last();
                    if let Some(last @ TokenTree::Punct(_)) = &last
                        && !is_punct(last, '?')
                    {
                        self.mistake(Error::new_spanned(last, "the value ends too early"));
                        return None;
                    }
                    if last.is_some() {
                        return Some((parameter, key.clone(), value));
                    }
                    let message = format!("a value is missing: write `{example}`");
                    self.mistake(Error::new_spanned(equals, message));
                    return None;
                }
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                let message = format!("no parentheses here: write `{example}`");
                Error::new(group.span_open(), message)
            }
            Some(comma) if !is_punct(comma, ',') => {
                Error::new_spanned(comma, format!("expected `=`: write `{example}`"))
            }
            _ if matches!(parameter.kind, Kind::Flag) => {
                self.at += 1;
                return Some((parameter, key.clone(), TokenStream::new()));
            }
            _ => Error::new(key.span(), format!("a value is missing: write `{example}`")),
        };
        self.mistake(mistake);
        self.skip();
        None
    }

    /// Skips to the next comma.
    fn skip(&mut self) {
        while self.at < self.tokens.len() && !self.is_punct_at(self.at, ',') {
            self.at += 1;
        }
        self.at += 1;
    }

    /// Reads the value after the `=`, up to the comma that ends it: not one inside `f::<A, B>()`.
    fn value(&mut self) -> TokenStream {
        self.at += 1;
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(token) = self.tokens.get(self.at) {
            let previous = self.at.checked_sub(1).filter(|&at| at >= start);
            let previous = previous.and_then(|at| self.tokens.get(at));
            match token {
                TokenTree::Punct(punct) => match punct.as_char() {
                    ',' if depth == 0 => break,
                    // After a value `<` compares; at the start, after `::`, or inside it opens.
                    '<' if depth > 0 || previous.is_none_or(|t| is_punct(t, ':')) => depth += 1,
                    '>' if depth > 0 && !previous.is_some_and(|t| is_punct(t, '-')) => depth -= 1,
                    _ => {}
                },
                TokenTree::Ident(word) if depth == 0 && self.comma_is_missing(previous, word) => {
                    let message = format!("a comma is missing before `{word}`");
                    let mistake = Error::new(word.span(), message);
                    let value = self.tokens[start..self.at].iter().cloned().collect();
                    self.mistake(mistake);
                    return value;
                }
                _ => {}
            }
            self.at += 1;
        }
        let value = self.tokens[start..self.at].iter().cloned().collect();
        self.at += 1;
        value
    }

    /// Whether `word` starts another argument right after the end of a value.
    fn comma_is_missing(&self, previous: Option<&TokenTree>, word: &Ident) -> bool {
        let ended = matches!(
            previous,
            Some(TokenTree::Literal(_) | TokenTree::Ident(_) | TokenTree::Group(_))
        );
        let assigns = self.is_punct_at(self.at + 1, '=')
            && !self.is_punct_at(self.at + 2, '=')
            && !self.is_punct_at(self.at + 2, '>');
        ended && (assigns || word == "err")
    }

    fn is_punct_at(&self, at: usize, c: char) -> bool {
        self.tokens.get(at).is_some_and(|token| is_punct(token, c))
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::Arguments;
    use crate::parameters::Macro;

    fn mistakes(input: TokenStream) -> Vec<String> {
        match Arguments::read(input, Macro::Track) {
            Ok(_) => Vec::new(),
            Err(error) => error.into_iter().map(|mistake| mistake.to_string()).collect(),
        }
    }

    #[test]
    fn arguments_become_calls_of_the_setters() {
        let input =
            quote!(project = "a", r#pue = f::<A, B>(1, 2), rows = if x < 1 { a } else { b });
        let arguments = Arguments::read(input, Macro::Track).unwrap_or_else(|e| panic!("{e}"));
        let expected = quote! {
            ::eco2ai::Tracker::builder()
                .project("a")
                .pue(f::<A, B>(1, 2))
                .rows(if x < 1 { a } else { b })
        };
        assert_eq!(arguments.builder().to_string(), expected.to_string());
        assert!(!arguments.constant);
    }

    #[test]
    fn each_mistake_is_reported_once() {
        for (input, told) in [
            (quote!(project = "a", project = "b"), vec!["`project` is given twice"]),
            (quote!(project = "a", r#project = "b"), vec!["`project` is given twice"]),
            (quote!(project = "a" pue = 1), vec!["a comma is missing before `pue`"]),
            (quote!(project = "a" err), vec!["a comma is missing before `err`"]),
            (
                quote!(project("a"), pue = 1),
                vec!["no parentheses here: write `project = \"MNIST\"`"],
            ),
            (quote!(project), vec!["a value is missing: write `project = \"MNIST\"`"]),
            (quote!(project =, pue = 1), vec!["a value is missing: write `project = \"MNIST\"`"]),
            (quote!(project "a"), vec!["expected `=`: write `project = \"MNIST\"`"]),
            (quote!(pue = 1 +), vec!["the value ends too early"]),
            (quote!(err = true), vec!["`err` takes no value"]),
            (quote!("MNIST"), vec!["expected an argument such as `project = \"MNIST\"`"]),
        ] {
            assert_eq!(mistakes(input.clone()), told, "{input}");
        }
    }

    #[test]
    fn all_mistakes_are_reported_together() {
        assert_eq!(mistakes(quote!(pue = 0.5, project = "", country = "Atlantis")).len(), 3);
    }
}
