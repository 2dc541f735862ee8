//! The return type of a function, as far as it can be written inside its body.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::tokens::{is_ident, is_punct, with_span};

/// A return type, as far as it can be written inside a body.
pub(crate) enum Type {
    /// `()`, by omission after these parameters.
    Unit {
        parameters: Span,
    },
    /// `!`.
    Never,
    Named(TokenStream),
    /// `impl Trait`, or behind an alias.
    Unknown,
}

impl Type {
    /// `returns` with `_` for each `impl Trait`, which cannot be written in a body.
    pub(crate) fn read(returns: &TokenStream, parameters: Span) -> Self {
        let mut tokens = returns.clone().into_iter();
        match (tokens.next(), tokens.next()) {
            (None, _) => Self::Unit { parameters },
            (Some(only), None) if is_punct(&only, '!') => Self::Never,
            _ if is_opaque(returns) => Self::Unknown,
            _ => Self::Named(without_impl(returns.clone())),
        }
    }
}

fn without_impl(tokens: TokenStream) -> TokenStream {
    let mut result = TokenStream::new();
    // Inside `impl Trait<…>`: how many brackets are open since.
    let mut inside: Option<usize> = None;
    let mut arrow = false;
    for token in tokens {
        let closes = is_punct(&token, '>') && !arrow;
        arrow = is_punct(&token, '-');
        match inside {
            Some(0) if closes || is_punct(&token, ',') => inside = None,
            Some(open) => {
                let opens = usize::from(is_punct(&token, '<'));
                inside = Some(open + opens - usize::from(closes));
                continue;
            }
            None => {}
        }
        match token {
            TokenTree::Ident(word) if word == "impl" => {
                result.extend([TokenTree::Ident(Ident::new("_", word.span()))]);
                inside = Some(0);
            }
            TokenTree::Group(group) => {
                let inner = Group::new(group.delimiter(), without_impl(group.stream()));
                result.extend([TokenTree::Group(with_span(inner, group.span()))]);
            }
            token => result.extend([token]),
        }
    }
    result
}

/// Whether the type is `impl Trait`.
pub(crate) fn is_opaque(returns: &TokenStream) -> bool {
    returns.clone().into_iter().next().is_some_and(|first| is_ident(&first, "impl"))
}

/// Whether the type is `str`, `[T]` or `dyn Trait`.
pub(crate) fn is_unsized(returns: &TokenStream) -> bool {
    let mut tokens = returns.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(first), Some(_)) => is_ident(&first, "dyn"),
        (Some(TokenTree::Group(group)), None) => {
            let slice = |token| !is_punct(&token, ';');
            group.delimiter() == Delimiter::Bracket && group.stream().into_iter().all(slice)
        }
        (Some(only), None) => is_ident(&only, "str"),
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::without_impl;

    #[test]
    fn a_type_that_cannot_be_named_is_left_to_inference() {
        for (returns, written) in [
            (quote!(Result<impl Iterator<Item = u8> + '_, E>), quote!(Result<_, E>)),
            (quote!((impl Fn() -> Vec<u8>, u8)), quote!((_, u8))),
            (quote!(Vec<Option<impl Sized>>), quote!(Vec<Option<_>>)),
            (quote!(Box<dyn Fn() -> u8>), quote!(Box<dyn Fn() -> u8>)),
        ] {
            assert_eq!(without_impl(returns).to_string(), written.to_string());
        }
    }
}
