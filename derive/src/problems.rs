//! Collects all errors in the input, in the order in which they are found.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// All errors found so far, combined into one.
#[derive(Default)]
pub(crate) struct Problems(Option<syn::Error>);

impl Problems {
    /// Adds an error; see [`problem`].
    pub(crate) fn add(&mut self, culprit: impl ToTokens, wrong: &str, help: &str) {
        self.merge(problem(culprit, wrong, help));
    }

    pub(crate) fn merge(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    pub(crate) fn into_error(self) -> Option<syn::Error> {
        self.0
    }
}

/// Creates an error with the span of `culprit`. `wrong` is the first line of its message, and
/// `help` shows the corrected code.
pub(crate) fn problem(culprit: impl ToTokens, wrong: &str, help: &str) -> syn::Error {
    syn::Error::new_spanned(culprit, format!("{wrong}\nhelp: {help}"))
}

/// Formats the tokens as people write them, without most of the spaces that `to_string` adds.
pub(crate) fn code(tokens: impl ToTokens) -> String {
    let tokens: TokenStream = tokens.to_token_stream();
    let mut code = tokens.to_string();
    for (spaced, tight) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" ;", ";"),
        ("& ", "&"),
        ("' ", "'"),
    ] {
        code = code.replace(spaced, tight);
    }
    code
}
