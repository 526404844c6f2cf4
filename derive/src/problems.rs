//! What is wrong with the input: everything, in the order in which it was found.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Nothing yet, or all the errors in one.
#[derive(Default)]
pub(crate) struct Problems(Option<syn::Error>);

impl Problems {
    /// `culprit` is underlined; `wrong` is the first line of the message, and `help` says how
    /// the corrected code reads.
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

/// An error whose first line says what is wrong, and whose second one what to write.
pub(crate) fn problem(culprit: impl ToTokens, wrong: &str, help: &str) -> syn::Error {
    syn::Error::new_spanned(culprit, format!("{wrong}\nhelp: {help}"))
}

/// The tokens as people write them, without most of the spaces between them.
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
