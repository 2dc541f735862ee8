//! The attribute of the `eco2ai` crate, which re-exports it; see there.

use proc_macro::TokenStream;
use quote::quote;

/// Tracks each run of a function.
#[proc_macro_attribute]
pub fn track(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let _ = arguments;
    match syn::parse::<syn::ItemFn>(item) {
        Ok(function) => {
            let syn::ItemFn { attrs, vis, sig, block, .. } = function;
            let name = sig.ident.to_string();
            quote! {
                #(#attrs)* #vis #sig {
                    let _guard = {
                        static SITE: ::eco2ai::__private::Site =
                            ::eco2ai::__private::Site::new(::core::module_path!(), #name);
                        ::eco2ai::__private::start(&SITE, ::eco2ai::Tracker::builder)
                    };
                    #block
                }
            }
            .into()
        }
        Err(error) => error.to_compile_error().into(),
    }
}
