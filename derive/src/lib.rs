//! The macros of `livedrop`, which re-exports them. Do not depend on this crate directly.

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

/// Cleans up the fields of a struct or of an enum: see `livedrop`.
#[proc_macro_derive(AsyncDrop, attributes(async_drop))]
pub fn derive_async_drop(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive(&input).into()
}

/// Writes the second method of an `impl AsyncDrop`: see `livedrop`.
#[proc_macro_attribute]
pub fn unboxed(arguments: TokenStream, item: TokenStream) -> TokenStream {
    unboxed::expand(&arguments.into(), item.into()).into()
}

/// Parse, validate, expand; and say everything that is wrong, not only the first thing.
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
