//! The macros of the crate `eco2ai`. Use them through that crate, which re-exports them.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod arguments;
mod check;
mod country;
mod expand;
mod fold;
mod function;
mod lints;
mod parameters;
mod pricing;
mod return_type;
mod returned;
mod tokens;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Result};

use crate::arguments::Arguments;
use crate::function::Function;
use crate::parameters::Macro;

#[doc = include_str!("../docs/track_arguments.md")]
#[doc = concat!(
    "| argument | value, unit | default |\n|---|---|---|\n",
    parameters::documented!(),
    "| `parent` | handle of the parent run | the innermost run |\n",
    "| `name` | text literal: the name of the function in the row | its path |\n",
    "| `err` | (no value) a plain function that returns `Err` gets the status `error` | |\n",
    "| `crate` | path of the crate `eco2ai`, if it has another name | `::eco2ai` |",
)]
#[doc = ""]
#[doc = include_str!("../docs/track_values.md")]
#[proc_macro_attribute]
pub fn track(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    expand_track(arguments.into(), item.clone())
        .unwrap_or_else(|mistakes| {
            // The function as it was stays, so that nothing else in the program turns red; but a
            // closure is no item, and cannot stand after one.
            let mistakes = mistakes.to_compile_error();
            if function::is_closure(&item) { mistakes } else { quote!(#mistakes #item) }
        })
        .into()
}

fn expand_track(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    match (Arguments::read(arguments, Macro::Track), Function::read(item)) {
        (Ok(arguments), Ok(function)) => expand::function(&function, &arguments),
        (arguments, function) => Err(all([arguments.err(), function.err()])),
    }
}

/// The mistakes in one error, which holds several.
fn all(mistakes: [Option<Error>; 2]) -> Error {
    let combine = |mut all: Error, mistake| {
        all.combine(mistake);
        all
    };
    let all = mistakes.into_iter().flatten().reduce(combine);
    all.unwrap_or_else(|| Error::new(proc_macro2::Span::call_site(), "`#[track]` cannot be used"))
}

/// The arguments are those of `#[track]` without `parent`, `name` and `err`.
#[proc_macro]
pub fn set_params(arguments: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_set_params(arguments.into()).into()
}

fn expand_set_params(arguments: TokenStream) -> TokenStream {
    match Arguments::read(arguments, Macro::SetParams) {
        Ok(arguments) => {
            let runtime = &arguments.runtime;
            let builder = arguments.builder();
            quote!(#runtime::__private::set_params(&#builder))
        }
        Err(mistakes) => {
            let mistakes = mistakes.to_compile_error();
            // A value of the right type, so that only the mistakes are reported.
            quote!({ #mistakes ::eco2ai::__private::set_params(&::eco2ai::Tracker::builder()) })
        }
    }
}

/// Writes `parameters! { … }` with the list of all parameters, for a macro of that name where this
/// one is called: so the library and the macros have one list.
#[doc(hidden)]
#[proc_macro]
pub fn __parameters(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    include_str!("table.rs").parse().unwrap_or_default()
}
