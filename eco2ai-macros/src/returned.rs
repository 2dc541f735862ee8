//! Futures that plain functions return. If the body ends in an `async` block, the future is tracked,
//! not the call that creates it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use crate::function::Function;
use crate::tokens::{depths, is_ident, is_punct};

/// The future at the end of a function's body.
pub(crate) struct Returned {
    /// Everything before the `async` block, including `Box::pin` without its parentheses.
    before: Vec<TokenTree>,
    /// The parentheses of `Box::pin(…)`, and the tokens in them after the block.
    boxed: Option<(Group, Vec<TokenTree>)>,
    /// `async` or `async move`.
    pub(crate) keyword: TokenStream,
    /// The block.
    pub(crate) body: Group,
    /// The type of the future's value; empty if it is not declared.
    pub(crate) output: TokenStream,
}

impl Returned {
    /// Finds an `async` block, or `Box::pin(async …)`, at the end of a function whose return type
    /// names a future.
    pub(crate) fn find(function: &Function) -> Option<Self> {
        if function.is_async || !names_a_future(&function.returns) {
            return None;
        }
        let tokens: Vec<TokenTree> = function.body.stream().into_iter().collect();
        let output = output(&function.returns);
        let (last, before) = tokens.split_last()?;
        let TokenTree::Group(last) = last else { return None };
        match last.delimiter() {
            Delimiter::Brace => {
                let start = start_of_async(&tokens)?;
                Some(Self {
                    before: tokens[..start].to_vec(),
                    boxed: None,
                    keyword: tokens[start..tokens.len() - 1].iter().cloned().collect(),
                    body: last.clone(),
                    output,
                })
            }
            Delimiter::Parenthesis if calls_box_pin(before) => {
                let inner: Vec<TokenTree> = last.stream().into_iter().collect();
                let end = inner.iter().position(is_brace)?;
                let TokenTree::Group(body) = inner.get(end)? else { return None };
                let after = inner[end + 1..].to_vec();
                let only = start_of_async(&inner[..=end])? == 0
                    && after.iter().all(|token| is_punct(token, ','));
                only.then(|| Self {
                    before: before.to_vec(),
                    boxed: Some((last.clone(), after)),
                    keyword: inner[..end].iter().cloned().collect(),
                    body: body.clone(),
                    output,
                })
            }
            _ => None,
        }
    }

    /// Returns the function's body with `block` as the body of the `async` block.
    pub(crate) fn with_block(&self, block: &Group) -> TokenStream {
        let Self { before, boxed, keyword, .. } = self;
        let future = quote!(#keyword #block);
        match boxed {
            None => quote!(#(#before)* #future),
            Some((parentheses, after)) => {
                let mut call = Group::new(Delimiter::Parenthesis, quote!(#future #(#after)*));
                call.set_span(parentheses.span());
                quote!(#(#before)* #call)
            }
        }
    }
}

fn is_brace(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// Returns the start of the `async {}` or `async move {}` at the end of `tokens`, if it is a
/// statement of its own: preceded by nothing, a `;` or a block.
fn start_of_async(tokens: &[TokenTree]) -> Option<usize> {
    let block = tokens.len().checked_sub(1)?;
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| is_ident(token, word));
    let start = match block {
        2.. if is(block - 1, "move") && is(block - 2, "async") => block - 2,
        1.. if is(block - 1, "async") => block - 1,
        _ => return None,
    };
    starts_a_statement(tokens, start).then_some(start)
}

fn starts_a_statement(tokens: &[TokenTree], at: usize) -> bool {
    match at.checked_sub(1).and_then(|before| tokens.get(before)) {
        None => true,
        Some(token) => is_punct(token, ';') || is_brace(token),
    }
}

/// Returns whether the tokens end in a statement that begins with `Box::pin`, or a path to it.
fn calls_box_pin(tokens: &[TokenTree]) -> bool {
    let path = tokens.iter().rev().take_while(|token| match token {
        TokenTree::Ident(word) => word != "return",
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    });
    let start = tokens.len() - path.count();
    let words: Vec<String> = tokens[start..]
        .iter()
        .filter(|token| matches!(token, TokenTree::Ident(_)))
        .map(ToString::to_string)
        .collect();
    starts_a_statement(tokens, start)
        && matches!(words.as_slice(), [.., owner, function] if owner == "Box" && function == "pin")
}

/// Returns whether a type names a future: `impl Future`, `Pin<Box<dyn Future>>`, `BoxFuture`.
fn names_a_future(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(word) => word.to_string().ends_with("Future"),
        TokenTree::Group(group) => names_a_future(&group.stream()),
        _ => false,
    })
}

/// Returns the type in `Output = …`.
fn output(returns: &TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = returns.clone().into_iter().collect();
    let start = tokens.iter().enumerate().position(|(at, token)| {
        is_ident(token, "Output") && tokens.get(at + 1).is_some_and(|next| is_punct(next, '='))
    });
    let Some(start) = start.map(|at| at + 2) else {
        let group = |token: TokenTree| match token {
            TokenTree::Group(group) => Some(output(&group.stream())),
            _ => None,
        };
        return tokens.into_iter().filter_map(group).find(|o| !o.is_empty()).unwrap_or_default();
    };
    // The type ends where the brackets around `Output = …` close.
    let depths = depths(&tokens[start..]);
    let mut open = 0_usize;
    let mut end = start;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        let arrow = at > start && is_punct(&tokens[at - 1], '-');
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '<' => open += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' && !arrow => {
                if open == 0 {
                    break;
                }
                open -= 1;
            }
            TokenTree::Punct(punct) if punct.as_char() == ',' && depths[at - start] == 0 => break,
            _ => {}
        }
        end = at + 1;
    }
    tokens[start..end].iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Delimiter, Group, TokenStream};
    use quote::quote;

    use super::Returned;
    use crate::function::Function;

    fn find(item: TokenStream) -> Option<Returned> {
        Returned::find(&Function::read(item).unwrap_or_else(|error| panic!("{error}")))
    }

    #[test]
    fn statements_before_the_future_are_kept() {
        let returned = find(quote! {
            fn f(x: u8) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, E>> + Send>> {
                let y = x;
                if y == 0 { return Box::pin(async { 1 }); }
                std::boxed::Box::pin(async move { y },)
            }
        })
        .unwrap_or_else(|| panic!("not found"));
        assert_eq!(returned.output.to_string(), quote!(Result<Vec<u8>, E>).to_string());
        assert_eq!(
            returned.with_block(&Group::new(Delimiter::Brace, quote!(tracked))).to_string(),
            quote! {
                let y = x;
                if y == 0 { return Box::pin(async { 1 }); }
                std::boxed::Box::pin(async move { tracked },)
            }
            .to_string()
        );
    }

    #[test]
    fn a_bare_block_is_a_future_too() {
        let returned = find(quote!(
            fn f() -> impl Future<Output = ()> + '_ {
                async { g() }
            }
        ));
        assert_eq!(returned.map(|r| r.output.to_string()), Some("()".into()));
    }

    #[test]
    fn other_bodies_are_not_taken_for_futures() {
        for item in [
            quote!(
                fn f() -> u8 {
                    Box::pin(async {})
                }
            ),
            quote!(
                fn f() -> impl Future {
                    g(async {})
                }
            ),
            quote!(
                fn f() -> impl Future {
                    Box::pin(g(async {}))
                }
            ),
            quote!(fn f() -> impl Future { x.async_move {} }),
            quote!(
                fn f() -> impl Future {
                    let x = async {};
                    x
                }
            ),
            quote!(
                fn f() -> impl Future {
                    async {}.boxed()
                }
            ),
            quote!(
                fn f() -> impl Future {
                    Arc::pin(async {})
                }
            ),
            quote!(
                async fn f() -> impl Future {
                    async {}
                }
            ),
        ] {
            assert!(find(item.clone()).is_none(), "{item}");
        }
    }
}
