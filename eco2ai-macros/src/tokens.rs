//! Reads Rust as tokens, in which angle brackets are not groups.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};

pub(crate) fn is_punct(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c)
}

/// Returns for each token of a signature how many angle brackets enclose it. In a signature a `<` is
/// always a bracket, and a `>` is one unless it ends an arrow.
pub(crate) fn depths(tokens: &[TokenTree]) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut arrow = false;
    tokens
        .iter()
        .map(|token| {
            let before = depth;
            if let TokenTree::Punct(punct) = token {
                match punct.as_char() {
                    '<' => depth += 1,
                    '>' if !arrow => depth = depth.saturating_sub(1),
                    _ => {}
                }
                arrow = matches!(punct.as_char(), '-' | '=') && punct.spacing() == Spacing::Joint;
            } else {
                arrow = false;
            }
            // A bracket has the depth of its surroundings.
            before.min(depth)
        })
        .collect()
}

/// Removes the invisible group that a `macro_rules!` macro puts around a fragment.
pub(crate) fn ungroup(stream: TokenStream) -> TokenStream {
    let mut tokens = stream.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => {
            ungroup(group.stream())
        }
        _ => stream,
    }
}

/// Returns the only token of `value`, also if it is in an invisible group.
pub(crate) fn only_token(value: &TokenStream) -> Option<TokenTree> {
    let mut tokens = ungroup(value.clone()).into_iter();
    let only = tokens.next();
    if tokens.next().is_some() { None } else { only }
}

pub(crate) fn is_ident(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

pub(crate) fn with_span(mut group: Group, span: Span) -> Group {
    group.set_span(span);
    group
}
