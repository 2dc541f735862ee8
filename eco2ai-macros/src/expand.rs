//! Writes the tracked function.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::{Error, Result};

use crate::arguments::Arguments;
use crate::function::{Function, rebind};
use crate::lints::{self, has_checked_form, starts_item};
use crate::return_type::{Type, is_opaque, is_unsized};
use crate::returned::Returned;
use crate::tokens::{is_ident, is_punct, with_span};

/// Returns the function with its body tracked.
///
/// Generated code has spans of [`Span::mixed_site`], so the edition of this crate applies to it.
/// The edition of the user's crate, or of the macro that generated the function, applies to the
/// user's code. Since edition 2024 the temporaries of a block's last expression are dropped before
/// the block's locals, in earlier editions after them. The expansion must not depend on this. So
/// the user's body, with its own braces, is an arm of a `match`: in every edition its temporaries
/// are dropped before the values that the `match` binds. And a generated expression with
/// temporaries is never the last one of a block.
///
/// # Errors
/// Returns an error if an argument does not fit the function.
pub(crate) fn function(function: &Function, arguments: &Arguments) -> Result<TokenStream> {
    let Function { head, parameters, tail, body, .. } = function;
    if is_unsized(&function.returns) {
        // No function can return this type. Unchanged, it gets rustc's own error.
        return Ok(quote!(#head #parameters #tail #body));
    }
    let code = Code { arguments, at: Span::mixed_site().located_at(body.span()) };
    if let Some(returned) = Returned::find(function) {
        let block = code.returned_future(function, &returned);
        let body = braced(returned.with_block(&block), body.span());
        let allow = lints::allow(function, true);
        return Ok(quote!(#allow #head #parameters #tail #body));
    }
    let (attributes, block) = split_attributes(body);
    let (parameters, tracked) = if function.is_async {
        code.polled(function, &block)
    } else if let Some(err) = &arguments.err {
        let Type::Named(returns) = Type::read(&function.returns, function.parameters.span()) else {
            return Err(Error::new(
                err.span(),
                "`err` needs a function whose return type is written, such as `-> Result<T, E>`",
            ));
        };
        code.called(function, &returns, &block)
    } else {
        (parameters.clone(), code.guarded(function, &block))
    };
    // With the span of a macro for all braces, rustc would never report a function as unused.
    let span = if has_checked_form(function) { code.at } else { body.span() };
    let body = braced(quote!(#attributes #tracked), span);
    let allow = lints::allow(function, function.is_async || is_opaque(&function.returns));
    Ok(quote!(#allow #head #parameters #tail #body))
}

/// Writes the code around a body.
struct Code<'a> {
    arguments: &'a Arguments,
    /// The span of generated code. It is located at the body, so that rustc's messages about
    /// generated code point to the body.
    at: Span,
}

impl Code<'_> {
    /// A plain function: a guard around the body.
    fn guarded(&self, function: &Function, block: &Group) -> TokenStream {
        let Arguments { runtime, constant, .. } = self.arguments;
        let (site, builder) = (self.site(), self.arguments.builder());
        let start = quote_spanned! {self.at=>
            #runtime::__private::start(#site, #constant, || #builder)
        };
        if has_no_value(block) {
            // There are no temporaries at the end, and rustc's message about a missing value is
            // better without a block. Clippy wants items to be first in a block.
            let first = block.stream().into_iter().next();
            let is_item = first.is_some_and(|token| starts_item(&token));
            let body = if is_item { quote!(#block) } else { block.stream() };
            quote_spanned!(self.at=> let _guard = #start; #body)
        } else if is_opaque(&function.returns) {
            // Through a `match`, a closure would not get the types of its parameters from the opaque
            // return type. The generated parentheses keep rustc from reporting unnecessary braces.
            let returned = self.returned(&quote_spanned!(self.at=> (#block)));
            quote_spanned!(self.at=> let _guard = #start; #returned)
        } else {
            quote_spanned!(self.at=> match #start { _guard => #block })
        }
    }

    /// A plain function with `err`: the body in a closure, whose value is checked for an error.
    fn called(
        &self,
        function: &Function,
        returns: &TokenStream,
        block: &Group,
    ) -> (Group, TokenStream) {
        let runtime = &self.arguments.runtime;
        let (parameters, statements) = rebound(function);
        let (call, started) = (self.call(), self.started(block));
        let tracked = quote_spanned! {self.at=>
            match #call {
                // The return type may be that of a trait.
                #[allow(clippy::result_large_err)]
                call => #runtime::__private::call(
                    call,
                    move || -> #returns { #statements #started },
                    |value| #runtime::__private::Outcome(value).status(),
                )
            }
        };
        (parameters, tracked)
    }

    /// An async function: the body in a block of its own, so that each poll of it is tracked.
    fn polled(&self, function: &Function, block: &Group) -> (Group, TokenStream) {
        let (parameters, statements) = rebound(function);
        let keyword = quote_spanned!(self.at=> async move);
        let output = Type::read(&function.returns, function.parameters.span());
        (parameters, self.driven(&output, &keyword, &statements, block))
    }

    /// The block of a future that a plain function returns.
    fn returned_future(&self, function: &Function, returned: &Returned) -> Group {
        let Returned { keyword, body, output, .. } = returned;
        let output = if output.is_empty() {
            Type::Unknown
        } else {
            Type::read(output, function.parameters.span())
        };
        braced(self.driven(&output, keyword, &TokenStream::new(), body), body.span())
    }

    /// The expression that makes the call and polls the body to its end.
    fn driven(
        &self,
        output: &Type,
        keyword: &TokenStream,
        statements: &TokenStream,
        block: &Group,
    ) -> TokenStream {
        let runtime = &self.arguments.runtime;
        let status = if matches!(output, Type::Named(_)) {
            quote_spanned!(self.at=> |value| #runtime::__private::Outcome(value).status())
        } else {
            quote_spanned!(self.at=> #runtime::__private::no_error)
        };
        let call = self.call();
        let hint = self.hint(output);
        let started = self.started(block);
        // Clippy reports a future at the end of an `async` block as not awaited, but not one that is
        // returned.
        let never = matches!(output, Type::Never);
        let body = if never { started } else { self.returned(&started) };
        let polled = quote_spanned! {self.at=>
            #runtime::__private::poll(
                call,
                #runtime::__private::pin!(#keyword { #hint #statements #body }),
                #status,
            )
            .await
        };
        if never {
            quote_spanned!(self.at=> match #call { call => match #polled {} })
        } else {
            quote_spanned!(self.at=> match #call { call => #polled })
        }
    }

    /// Gives a block, which cannot declare a return type, the type of the function. Never executed.
    fn hint(&self, output: &Type) -> TokenStream {
        let runtime = &self.arguments.runtime;
        let never = quote_spanned!(self.at=> #runtime::__private::never());
        match output {
            Type::Unit { parameters } => {
                let no_value = quote_spanned!(*parameters=> return;);
                quote_spanned!(self.at=> if false { #no_value })
            }
            Type::Never => {
                let no_value = quote_spanned!(self.at=> #runtime::__private::Infallible);
                quote_spanned!(self.at=> if false { let value: #no_value = #never; return value; })
            }
            Type::Named(output) => {
                // So that rustc's messages about the inferred return type point to the declared one.
                let at = output.clone().into_iter().next().map_or(self.at, |token| token.span());
                let value = Ident::new("value", at);
                quote_spanned!(self.at=> if false { let #value: #output = #never; return #value; })
            }
            Type::Unknown => TokenStream::new(),
        }
    }

    /// The call of a wrapped body.
    fn call(&self) -> TokenStream {
        let (runtime, site) = (&self.arguments.runtime, self.site());
        quote_spanned!(self.at=> &#runtime::__private::Call::new(#site))
    }

    /// A wrapped body, which starts the run of its call.
    fn started(&self, block: &Group) -> TokenStream {
        let (constant, builder) = (self.arguments.constant, self.arguments.builder());
        quote_spanned!(self.at=> match call.start(#constant, || #builder) { () => #block })
    }

    /// A body whose value is returned by `return`. The `break`, which is never executed, keeps rustc
    /// from reporting the `return` as unreachable if the body never ends.
    fn returned(&self, body: &TokenStream) -> TokenStream {
        let runtime = &self.arguments.runtime;
        quote_spanned! {self.at=>
            return 'body: {
                if false {
                    break 'body #runtime::__private::never();
                }
                #body
            };
        }
    }

    /// The static of the function, in a block that keeps its name from the body.
    fn site(&self) -> TokenStream {
        let runtime = &self.arguments.runtime;
        let new = if let Some(name) = &self.arguments.name {
            quote_spanned!(self.at=> named(#name))
        } else {
            quote_spanned!(self.at=> new(|| ()))
        };
        quote_spanned! {self.at=> {
            static SITE: #runtime::__private::Site = #runtime::__private::Site::#new;
            &SITE
        }}
    }
}

/// Splits a body into its inner attributes and the block without them.
fn split_attributes(body: &Group) -> (TokenStream, Group) {
    let mut tokens = body.stream().into_iter();
    let mut attributes = TokenStream::new();
    let mut ahead = tokens.clone();
    while let (Some(hash), Some(bang), Some(brackets)) = (ahead.next(), ahead.next(), ahead.next())
        && is_punct(&hash, '#')
        && is_punct(&bang, '!')
    {
        attributes.extend([hash, bang, brackets]);
        tokens = ahead.clone();
    }
    (attributes, braced(tokens.collect(), body.span()))
}

fn braced(tokens: TokenStream, span: Span) -> Group {
    with_span(Group::new(Delimiter::Brace, tokens), span)
}

/// Returns whether a block certainly has no value: it ends in a `;`, or is `todo!()` or
/// `unimplemented!()`.
fn has_no_value(block: &Group) -> bool {
    let tokens: Vec<TokenTree> = block.stream().into_iter().collect();
    match tokens.as_slice() {
        [.., macro_name, bang, TokenTree::Group(_)] if is_punct(bang, '!') => {
            is_ident(macro_name, "todo") || is_ident(macro_name, "unimplemented")
        }
        tokens => tokens.last().is_none_or(|last| is_punct(last, ';')),
    }
}

/// The parameters in the signature, and the statements that bind them in the block.
fn rebound(function: &Function) -> (Group, TokenStream) {
    let parameters = rebind(&function.parameters);
    let outer = parameters.iter().map(|parameter| &parameter.outer);
    let inner = parameters.iter().map(|parameter| &parameter.inner);
    let group = Group::new(Delimiter::Parenthesis, quote!(#(#outer),*));
    (with_span(group, function.parameters.span()), quote!(#(#inner)*))
}
