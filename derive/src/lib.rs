//! The procedural macros of `livedrop`. Do not depend on this crate: `livedrop` re-exports them.

#![forbid(unsafe_code)]

mod ast;
mod expand;
mod guards;
mod options;
mod problems;
#[cfg(test)]
mod tests;
mod unboxed;
mod valid;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `AsyncDrop` for a struct or an enum; see `livedrop::AsyncDrop`.
#[proc_macro_derive(AsyncDrop, attributes(async_drop))]
pub fn derive_async_drop(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive(&input).into()
}

/// Generates both methods of an `impl AsyncDrop` from one; see `livedrop::unboxed`.
#[proc_macro_attribute]
pub fn unboxed(arguments: TokenStream, item: TokenStream) -> TokenStream {
    unboxed::expand(&arguments.into(), item.into()).into()
}

/// Parses, validates and expands the input. It reports all problems, not only the first one.
fn derive(input: &DeriveInput) -> proc_macro2::TokenStream {
    let mut problems = problems::Problems::default();
    let ast = ast::Ast::new(input, &mut problems);
    valid::check(&ast, &mut problems);
    match problems.into_error() {
        None => expand::expand(&ast),
        Some(error) => {
            let stand_in = expand::stand_in(&ast);
            let errors = error.into_compile_error();
            quote::quote!(#errors #stand_in)
        }
    }
}
