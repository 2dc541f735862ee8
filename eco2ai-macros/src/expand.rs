//! Writing the tracked function.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Error, Result};

use crate::arguments::Arguments;
use crate::function::{Function, is_ident, rebind};
use crate::returned::{Returned, names_a_future};
use crate::tokens::is_punct;

/// The function with its body tracked.
///
/// # Errors
/// Where an argument does not fit the function.
pub(crate) fn function(function: &Function, arguments: &Arguments) -> Result<TokenStream> {
    let Function { head, parameters, tail, .. } = function;
    if let Some(returned) = Returned::find(function) {
        let block = returned_future(function, &returned, arguments);
        let body = Group::new(Delimiter::Brace, returned.with_block(&block));
        let body = with_span(body, function.body.span());
        return Ok(quote!(#head #parameters #tail #body));
    }
    if function.is_async {
        let (parameters, statements) = rebound(function);
        let body = body(function, |block| polled(function, arguments, &statements, &block));
        return Ok(quote!(#head #parameters #tail #body));
    }
    if let Some(err) = &arguments.err {
        let Type::Named(returns) = written(&function.returns, function.parameters.span()) else {
            return Err(Error::new(
                err.span(),
                "`err` needs a function whose return type is written, such as `-> Result<T, E>`",
            ));
        };
        let (parameters, statements) = rebound(function);
        let body = body(function, |block| called(&returns, arguments, &statements, &block));
        return Ok(quote!(#head #parameters #tail #body));
    }
    let body = body(function, |block| guarded(arguments, block));
    Ok(quote!(#head #parameters #tail #body))
}

/// A plain function: a guard, then the body's own statements.
fn guarded(arguments: &Arguments, block: Group) -> TokenStream {
    let Arguments { runtime, constant, .. } = arguments;
    let site = site(arguments);
    let builder = arguments.builder();
    // Items stand first in a block, else clippy finds them misplaced: these keep their block. Where
    // there are none, messages about the body's end are better without one.
    let body = if starts_with_item(&block) { block.into_token_stream() } else { block.stream() };
    quote_spanned! {Span::mixed_site()=>
        let _guard = {
            #site
            #runtime::__private::start(&SITE, #constant, || #builder)
        };
        #body
    }
}

fn starts_with_item(block: &Group) -> bool {
    const ITEMS: [&str; 14] = [
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
    ];
    // An attribute or a qualifier may stand before an item or before an expression.
    block.stream().into_iter().next().is_some_and(|token| match token {
        TokenTree::Ident(word) => {
            ITEMS.iter().any(|item| word == item) || word == "async" || word == "unsafe"
        }
        token => is_punct(&token, '#'),
    })
}

/// A plain function with `err`: the body in a closure, whose value is looked at.
fn called(
    returns: &TokenStream,
    arguments: &Arguments,
    statements: &TokenStream,
    block: &Group,
) -> TokenStream {
    let Arguments { runtime, constant, .. } = arguments;
    let site = site(arguments);
    let builder = arguments.builder();
    quote_spanned! {Span::mixed_site()=>
        #site
        let call = &#runtime::__private::Call::new(&SITE);
        #runtime::__private::call(
            call,
            move || -> #returns {
                #statements
                call.start(#constant, || #builder);
                #block
            },
            |value| #runtime::__private::Outcome(value).status(),
        )
    }
}

/// An async function: the body in a block of its own, so that each poll of it is seen.
fn polled(
    function: &Function,
    arguments: &Arguments,
    statements: &TokenStream,
    block: &Group,
) -> TokenStream {
    let runtime = &arguments.runtime;
    // Where rustc speaks of the block, it should point to the body.
    let at = Span::mixed_site().located_at(function.body.span());
    let move_block = quote_spanned!(at=> async move);
    let never = is_never(&function.returns);
    let output = if never {
        Type::Named(quote_spanned!(Span::mixed_site()=> #runtime::__private::Infallible))
    } else {
        written(&function.returns, function.parameters.span())
    };
    // For clippy, a future at the end of an async block was forgotten to be awaited.
    let value = if names_a_future(&function.returns) {
        quote_spanned!(Span::mixed_site()=> return #block;)
    } else {
        block.into_token_stream()
    };
    let (site, future) = driven(&output, arguments, &move_block, statements, &value);
    if never {
        quote_spanned!(Span::mixed_site()=> #site match #future {})
    } else {
        quote!(#site #future)
    }
}

/// The block of a future that a plain function returns.
fn returned_future(function: &Function, returned: &Returned, arguments: &Arguments) -> TokenStream {
    let Returned { keyword, body, output, .. } = returned;
    let output =
        if output.is_empty() { Type::Unknown } else { written(output, function.parameters.span()) };
    let none = TokenStream::new();
    let (site, future) =
        driven(&output, arguments, keyword, &none, &ours(body).into_token_stream());
    let block = Group::new(Delimiter::Brace, quote!(#site #future));
    let block = with_span(block, body.span());
    quote!(#block)
}

/// The statements that make the call, and the expression that polls the body to its end.
fn driven(
    output: &Type,
    arguments: &Arguments,
    keyword: &TokenStream,
    statements: &TokenStream,
    value: &TokenStream,
) -> (TokenStream, TokenStream) {
    let Arguments { runtime, constant, .. } = arguments;
    let site = site(arguments);
    let builder = arguments.builder();
    let mixed = Span::mixed_site();
    // A block has no return type of its own: this, which never runs, gives it one.
    let hint = match output {
        Type::Named(output) => {
            // Where rustc speaks of the inferred return type, it should point to the written one.
            let at = output.clone().into_iter().next().map_or(mixed, |token| token.span());
            let value = Ident::new("value", at);
            quote_spanned! {mixed=>
                if false {
                    let #value: #output = #runtime::__private::never();
                    return #value;
                }
            }
        }
        Type::Unit { parameters } => {
            let no_value = quote_spanned!(*parameters=> return;);
            quote_spanned!(mixed=> if false { #no_value })
        }
        Type::Unknown => TokenStream::new(),
    };
    let status = match output {
        Type::Named(_) => {
            quote_spanned!(mixed=> |value| #runtime::__private::Outcome(value).status())
        }
        Type::Unit { .. } | Type::Unknown => quote_spanned!(mixed=> #runtime::__private::no_error),
    };
    let call = quote_spanned! {mixed=>
        #site
        let call = &#runtime::__private::Call::new(&SITE);
    };
    let future = quote_spanned! {mixed=>
        #runtime::__private::poll(
            call,
            #runtime::__private::pin!(#keyword {
                #hint
                #statements
                call.start(#constant, || #builder);
                #value
            }),
            #status,
        )
        .await
    };
    (call, future)
}

fn site(arguments: &Arguments) -> TokenStream {
    let runtime = &arguments.runtime;
    let new = if let Some(name) = &arguments.name {
        quote_spanned!(Span::mixed_site()=> named(#name))
    } else {
        quote_spanned!(Span::mixed_site()=> new(|| ()))
    };
    quote_spanned! {Span::mixed_site()=>
        static SITE: #runtime::__private::Site = #runtime::__private::Site::#new;
    }
}

/// The function's new body: what `write` makes of the old one, after its inner attributes.
fn body(function: &Function, write: impl FnOnce(Group) -> TokenStream) -> Group {
    let mut tokens = function.body.stream().into_iter();
    let mut attributes = TokenStream::new();
    let mut ahead = tokens.clone();
    while let (Some(hash), Some(bang), Some(brackets)) = (ahead.next(), ahead.next(), ahead.next())
        && is_punct(&hash, '#')
        && is_punct(&bang, '!')
    {
        attributes.extend([hash, bang, brackets]);
        tokens = ahead.clone();
    }
    let rest = with_span(Group::new(Delimiter::Brace, tokens.collect()), function.body.span());
    let written = write(ours(&rest));
    with_span(Group::new(Delimiter::Brace, quote!(#attributes #written)), function.body.span())
}

/// The user's block with braces that count as ours, so that no lint finds them unnecessary; they
/// stay where they are for messages. Those that end in no expression are necessary for every lint,
/// and stay the user's: a message about the missing value then speaks of no macro.
fn ours(block: &Group) -> Group {
    let span = match block.stream().into_iter().last() {
        Some(last) if !is_punct(&last, ';') => block.span().resolved_at(Span::mixed_site()),
        _ => block.span(),
    };
    with_span(Group::new(Delimiter::Brace, block.stream()), span)
}

fn with_span(mut group: Group, span: Span) -> Group {
    group.set_span(span);
    group
}

/// The parameters in the signature, and the statements that bind them in the block.
fn rebound(function: &Function) -> (Group, TokenStream) {
    let parameters = rebind(&function.parameters);
    let outer = parameters.iter().map(|parameter| &parameter.outer);
    let inner = parameters.iter().map(|parameter| &parameter.inner);
    let group = Group::new(Delimiter::Parenthesis, quote!(#(#outer),*));
    (with_span(group, function.parameters.span()), quote!(#(#inner)*))
}

/// A return type, as far as it can be written inside a body.
enum Type {
    /// `()`, by omission after these parameters.
    Unit {
        parameters: Span,
    },
    Named(TokenStream),
    /// `impl Trait`.
    Unknown,
}

/// `returns` with `_` for each `impl Trait`, which cannot be written in a body.
fn written(returns: &TokenStream, parameters: Span) -> Type {
    if returns.is_empty() {
        return Type::Unit { parameters };
    }
    let starts_with_impl = returns.clone().into_iter().next().is_some_and(|t| is_ident(&t, "impl"));
    if starts_with_impl { Type::Unknown } else { Type::Named(without_impl(returns.clone())) }
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

/// Whether the type is `!`.
fn is_never(returns: &TokenStream) -> bool {
    let mut tokens = returns.clone().into_iter();
    matches!((tokens.next(), tokens.next()), (Some(only), None) if is_punct(&only, '!'))
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
