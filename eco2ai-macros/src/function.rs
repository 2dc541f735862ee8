//! Reads the parts of a function that the expansion needs. Everything else stays as tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Error, Result};

use crate::tokens::{depths, is_ident, is_punct, ungroup};

/// A function with a body.
pub(crate) struct Function {
    /// Everything before the parameters: attributes, visibility, qualifiers, name, generics.
    pub(crate) head: TokenStream,
    pub(crate) is_async: bool,
    pub(crate) parameters: Group,
    /// The tokens of the return type; empty if it is omitted.
    pub(crate) returns: TokenStream,
    /// Everything from the arrow to the body: the return type and the `where` clause.
    pub(crate) tail: TokenStream,
    pub(crate) body: Group,
}

impl Function {
    /// Reads the item under the attribute.
    ///
    /// # Errors
    /// Returns an error if the item is not a function with a body that runs at run time.
    pub(crate) fn read(item: TokenStream) -> Result<Self> {
        let tokens: Vec<TokenTree> = ungroup(item).into_iter().collect();
        let keyword = find_fn(&tokens)?;
        let name = keyword + 1;
        // The parameters are the first parentheses outside the brackets of the generics.
        let depths = depths(&tokens);
        let parameters = (name + 1..tokens.len())
            .find(|&at| depths[at] == 0 && parenthesised(&tokens[at]).is_some())
            .and_then(|at| Some((at, parenthesised(&tokens[at])?.clone())));
        let Some((at, parameters)) = parameters else {
            return Err(Error::new_spanned(&tokens[keyword], "a function needs parameters"));
        };
        let Some((last, between)) = tokens[at + 1..].split_last() else {
            return Err(no_body(&tokens[keyword]));
        };
        let Some(body) = braced(last) else {
            return Err(no_body(last));
        };
        Ok(Self {
            head: tokens[..at].iter().cloned().collect(),
            is_async: tokens[..keyword].iter().any(|token| is_ident(token, "async")),
            parameters,
            returns: return_type(between),
            tail: between.iter().cloned().collect(),
            body,
        })
    }
}

fn no_body(at: &TokenTree) -> Error {
    Error::new_spanned(
        at,
        "`#[track]` needs a function with a body: track the implementation of a trait's method, \
         or a function that calls the foreign one",
    )
}

/// Returns the position of the `fn` of a function that can be tracked.
fn find_fn(tokens: &[TokenTree]) -> Result<usize> {
    let mut at = 0;
    let mut is_const = None;
    while let Some(token) = tokens.get(at) {
        match token {
            // An attribute: `#` and its brackets.
            TokenTree::Punct(hash) if hash.as_char() == '#' => at += 1,
            // The scope of `pub(in path)`, a visibility from a macro, the ABI of `extern "C"`.
            TokenTree::Group(_) | TokenTree::Literal(_) => {}
            TokenTree::Ident(word) => match word.to_string().as_str() {
                "fn" if matches!(tokens.get(at + 1), Some(TokenTree::Ident(_))) => {
                    return is_const.map_or(Ok(at), |token| Err(constant(token)));
                }
                "const" => is_const = Some(token),
                "pub" | "crate" | "default" | "async" | "unsafe" | "safe" | "extern" | "gen" => {}
                _ => return Err(not_a_function(is_const.unwrap_or(token))),
            },
            TokenTree::Punct(_) => return Err(not_a_function(is_const.unwrap_or(token))),
        }
        at += 1;
    }
    Err(tokens.first().map_or_else(
        || Error::new(Span::call_site(), "`#[track]` goes on a function"),
        not_a_function,
    ))
}

/// Returns whether the item is a closure. Attributes on closures are an unstable feature.
pub(crate) fn is_closure(item: &TokenStream) -> bool {
    let first = item.clone().into_iter().next();
    first.is_some_and(|token| is_punct(&token, '|') || is_ident(&token, "move"))
}

fn not_a_function(token: &TokenTree) -> Error {
    Error::new_spanned(
        token,
        "`#[track]` goes on a function: `fn`, `async fn`, or a method with a body",
    )
}

fn constant(token: &TokenTree) -> Error {
    Error::new_spanned(
        token,
        "a `const fn` cannot be tracked, because it may run at compile time: track the function \
         that calls it",
    )
}

/// Returns the type after the arrow, without the `where` clause.
fn return_type(between: &[TokenTree]) -> TokenStream {
    let arrow = between.first().is_some_and(|t| is_punct(t, '-'))
        && between.get(1).is_some_and(|t| is_punct(t, '>'));
    if !arrow {
        return TokenStream::new();
    }
    ungroup(between[2..].iter().take_while(|token| !is_ident(token, "where")).cloned().collect())
}

fn parenthesised(token: &TokenTree) -> Option<&Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(group),
        _ => None,
    }
}

/// Returns the block, also if a macro passed it as `$body:block`.
fn braced(token: &TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => {
            let mut inner = group.stream().into_iter();
            match (inner.next(), inner.next()) {
                (Some(only), None) => braced(&only),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A parameter of a function whose body is moved into a block. It must be bound again in the block:
/// otherwise the block would not own it, and the arguments would be dropped in another order.
pub(crate) struct Parameter {
    /// The parameter in the signature.
    pub(crate) outer: TokenStream,
    /// The statements that bind it in the block.
    pub(crate) inner: TokenStream,
}

/// Splits `parameters` into those of the signature and the bindings in the block.
pub(crate) fn rebind(parameters: &Group) -> Vec<Parameter> {
    let tokens: Vec<TokenTree> = parameters.stream().into_iter().collect();
    let depths = depths(&tokens);
    let mut start = 0;
    let mut result = Vec::new();
    for end in 0..=tokens.len() {
        let comma = end < tokens.len() && depths[end] == 0 && is_punct(&tokens[end], ',');
        if (comma || end == tokens.len()) && start < end {
            result.push(rebind_one(&tokens[start..end], &depths[start..end], result.len()));
        }
        if comma {
            start = end + 1;
        }
    }
    result
}

fn rebind_one(tokens: &[TokenTree], depths: &[usize], number: usize) -> Parameter {
    let mut attributes = TokenStream::new();
    let mut switches = TokenStream::new();
    let mut at = 0;
    while let [TokenTree::Punct(hash), TokenTree::Group(group), ..] = &tokens[at..]
        && hash.as_char() == '#'
    {
        let attribute = [hash.to_token_stream(), group.to_token_stream()];
        // `cfg` applies to both the parameter and the binding; a lint applies to the binding only.
        if group.stream().into_iter().next().is_some_and(|word| is_ident(&word, "cfg")) {
            switches.extend(attribute.iter().cloned());
        }
        attributes.extend(attribute);
        at += 2;
    }
    let colon = (at..tokens.len()).find(|&at| depths[at] == 0 && is_single_colon(tokens, at));
    let pattern = &tokens[at..colon.unwrap_or(tokens.len())];
    if let Some(receiver) = pattern.iter().find(|token| is_ident(token, "self")) {
        // `self` cannot be bound again. A reference to it makes the block own all of it.
        return Parameter {
            outer: tokens.iter().cloned().collect(),
            inner: local(&quote!(#attributes), &quote!(_), &quote!(&#receiver)),
        };
    }
    let types: TokenStream = tokens[colon.unwrap_or(tokens.len())..].iter().cloned().collect();
    let binding: TokenStream = match pattern {
        // With the span of a macro: clippy reports a `let _` of type `()`, but not such a parameter.
        [TokenTree::Ident(wildcard)] if wildcard == "_" => {
            quote_spanned!(wildcard.span().resolved_at(Span::mixed_site())=> _)
        }
        pattern => pattern.iter().cloned().collect(),
    };
    if let Some(name) = simple(pattern) {
        // The same name with the span of a macro, so that lints about uses of `_name` skip it.
        let mut name = name.clone();
        name.set_span(name.span().resolved_at(Span::mixed_site()));
        // Lints about `let _name = …` skip a pattern that is not a plain name.
        let (binding, value) = if name.to_string().starts_with('_') {
            (quote!((#binding,)), quote!((#name,)))
        } else {
            (binding, name.to_token_stream())
        };
        return Parameter {
            outer: quote!(#switches #name #types),
            inner: local(&attributes, &binding, &value),
        };
    }
    let name = format_ident!("argument_{number}", span = Span::mixed_site()).to_token_stream();
    let whole = local(&switches, &name, &name);
    let parts = local(&attributes, &binding, &name);
    Parameter { outer: quote!(#switches #name #types), inner: quote!(#whole #parts) }
}

fn local(attributes: &TokenStream, pattern: &TokenStream, value: &TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> #attributes let #pattern = #value;)
}

/// Returns the name in `name` or `mut name`.
fn simple(pattern: &[TokenTree]) -> Option<&Ident> {
    match pattern {
        [TokenTree::Ident(name)] if name != "_" => Some(name),
        [TokenTree::Ident(keyword), TokenTree::Ident(name)] if keyword == "mut" => Some(name),
        _ => None,
    }
}

fn is_single_colon(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| tokens.get(at).is_some_and(|token| is_punct(token, ':'));
    colon(at) && !colon(at + 1) && !(at > 0 && colon(at - 1))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::{Function, rebind};

    fn read(item: proc_macro2::TokenStream) -> Function {
        Function::read(item).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_signature_with_brackets_of_all_kinds_is_split_into_its_parts() {
        let function = read(quote! {
            #[doc = "fn (x) { }"]
            pub(in a::b) async unsafe extern "C" fn name<F: Fn(u8) -> Vec<u8>, const N: usize>(
                f: F,
            ) -> Result<[u8; { N + 1 }], Box<dyn Fn() -> u8>>
            where
                [u8; { N + 1 }]: Sized,
            {
                body
            }
        });
        assert!(function.is_async);
        assert_eq!(function.parameters.stream().to_string(), quote!(f: F,).to_string());
        assert_eq!(
            function.returns.to_string(),
            quote!(Result<[u8; { N + 1 }], Box<dyn Fn() -> u8>>).to_string()
        );
        assert_eq!(function.body.stream().to_string(), "body");
    }

    #[test]
    fn items_that_are_not_functions_with_a_body_are_refused() {
        for (item, refusal) in [
            (
                quote!(
                    struct S;
                ),
                "goes on a function",
            ),
            (
                quote!(
                    pub const X: fn() = f;
                ),
                "goes on a function",
            ),
            (quote!(|x| x), "goes on a function"),
            (
                quote!(
                    pub const unsafe fn f() {}
                ),
                "a `const fn` cannot be tracked",
            ),
            (
                quote!(
                    fn f(&self) -> u8;
                ),
                "needs a function with a body",
            ),
        ] {
            let message = Function::read(item).err().map(|error| error.to_string());
            let message = message.unwrap_or_default();
            assert!(message.contains(refusal), "{message:?}");
        }
    }

    #[test]
    fn parameters_are_bound_again_in_their_original_order() {
        let function = read(quote! {
            async fn f(&mut self, mut a: HashMap<u8, u8>, #[cfg(x)] (b, c): (u8, u8), _: u8) {}
        });
        let (outer, inner): (Vec<_>, Vec<_>) = rebind(&function.parameters)
            .into_iter()
            .map(|parameter| (parameter.outer.to_string(), parameter.inner.to_string()))
            .unzip();
        assert_eq!(
            outer,
            [
                quote!(&mut self).to_string(),
                quote!(a: HashMap<u8, u8>).to_string(),
                quote!(#[cfg(x)] argument_2: (u8, u8)).to_string(),
                quote!(argument_3: u8).to_string(),
            ]
        );
        assert_eq!(
            inner,
            [
                quote!(let _ = &self;).to_string(),
                quote!(let mut a = a;).to_string(),
                quote!(#[cfg(x)] let argument_2 = argument_2; #[cfg(x)] let (b, c) = argument_2;)
                    .to_string(),
                quote!(let argument_3 = argument_3; let _ = argument_3;).to_string(),
            ]
        );
    }
}
