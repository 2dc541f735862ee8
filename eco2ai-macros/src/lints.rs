//! Lints of clippy that would report something new in a tracked function, and how to prevent it.
//!
//! These lints skip code by its position, and the expansion changes the position. So they are
//! allowed, but only in functions in which they could be wrong.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use crate::function::Function;
use crate::tokens::{is_ident, is_punct};

/// Returns the attribute that allows the lints that would be wrong in the tracked function.
/// `is_moved`: the body moves into a future or a `return`, not into an arm of a `match`.
pub(crate) fn allow(function: &Function, is_moved: bool) -> TokenStream {
    let body: Vec<TokenTree> = function.body.stream().into_iter().collect();
    let mut lints = TokenStream::new();
    // Clippy skips a `transmute` whose type is the return type of the function.
    if contains(&body[start_of_tail(&body)..], "transmute") {
        lints.extend(quote_spanned!(Span::mixed_site()=> clippy::missing_transmute_annotations,));
    }
    // Clippy skips functions that are empty, or begin with an item or a panic.
    if !function.is_async && is_inlined_always(&function.head) && is_skipped(&body) {
        lints.extend(quote_spanned!(Span::mixed_site()=> clippy::inline_always,));
    }
    // Clippy does not see that the source of a clone borrows from a parameter.
    if is_moved && has_mutable_binding(&function.parameters.stream()) && contains(&body, "clone") {
        lints.extend(quote_spanned!(Span::mixed_site()=> clippy::assigning_clones,));
    }
    if lints.is_empty() {
        return lints;
    }
    quote_spanned!(Span::mixed_site()=> #[allow(#lints)])
}

/// Returns whether a lint compares the body as a whole with a form that it has: an empty one of a
/// generic function, a `clone` that is `*self`, or a `partial_cmp` that is `Some(self.cmp(other))`.
/// The lint skips a body whose braces come from a macro.
pub(crate) fn has_checked_form(function: &Function) -> bool {
    let body: Vec<TokenTree> = function.body.stream().into_iter().collect();
    let mut name = function.head.clone().into_iter().skip_while(|token| !is_ident(token, "fn"));
    let (Some(name), generics) = (name.nth(1), name.next()) else { return false };
    match body.as_slice() {
        [] => generics.is_some(),
        [star, this] if is_ident(&name, "clone") => is_punct(star, '*') && is_ident(this, "self"),
        [.., some, TokenTree::Group(_)] if is_ident(&name, "partial_cmp") => {
            is_ident(some, "Some") && contains(&body, "cmp")
        }
        _ => false,
    }
}

/// Returns where the last expression of a block begins.
fn start_of_tail(body: &[TokenTree]) -> usize {
    body.iter().rposition(|token| is_punct(token, ';')).map_or(0, |at| at + 1)
}

/// Returns whether an identifier is among the tokens, or in their groups.
fn contains(tokens: &[TokenTree], word: &str) -> bool {
    tokens.iter().any(|token| match token {
        TokenTree::Group(group) => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            contains(&inner, word)
        }
        token => is_ident(token, word),
    })
}

/// Returns whether the function has the attribute `#[inline(always)]`.
fn is_inlined_always(head: &TokenStream) -> bool {
    head.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            let attribute: Vec<TokenTree> = group.stream().into_iter().collect();
            contains(&attribute, "inline") && contains(&attribute, "always")
        }
        _ => false,
    })
}

/// Returns whether the body is empty, or begins with an item or a panic.
fn is_skipped(body: &[TokenTree]) -> bool {
    let Some(first) = body.first() else { return true };
    let bang = body.iter().position(|token| is_punct(token, '!')).unwrap_or_default();
    let (path, _) = body.split_at(bang);
    let is_path = |token: &TokenTree| is_punct(token, ':') || matches!(token, TokenTree::Ident(_));
    let panics =
        path.last().is_some_and(|name| is_ident(name, "panic") || is_ident(name, "unreachable"));
    panics && path.iter().all(is_path) || starts_item(first)
}

/// Returns whether a block that begins with this token may begin with an item.
pub(crate) fn starts_item(token: &TokenTree) -> bool {
    const ITEMS: [&str; 16] = [
        "use",
        "const",
        "static",
        "fn",
        "struct",
        "enum",
        "union",
        "impl",
        "trait",
        "type",
        "mod",
        "macro_rules",
        "extern",
        "pub",
        // These may also begin an expression.
        "async",
        "unsafe",
    ];
    match token {
        TokenTree::Ident(word) => ITEMS.iter().any(|item| word == item),
        // An attribute, of an item or of a statement.
        token => is_punct(token, '#'),
    }
}

/// Returns whether a pattern among the parameters has a binding with `mut`.
fn has_mutable_binding(parameters: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = parameters.clone().into_iter().collect();
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Group(group) => has_mutable_binding(&group.stream()),
        // Not that of a type: `&mut T`, `&'a mut T`, `*mut T`.
        token => {
            let before = at.checked_sub(1).and_then(|before| tokens.get(before));
            is_ident(token, "mut")
                && before.is_none_or(|it| {
                    matches!(it, TokenTree::Group(_)) || is_punct(it, ',') || is_punct(it, ':')
                })
        }
    })
}
