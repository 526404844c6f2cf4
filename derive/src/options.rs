//! Parses the `#[async_drop(…)]` attributes of types and fields, and rejects unknown options.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, ExprPath, Ident, Meta, Path, Token, Type};

use crate::problems::{Problems, problem};

/// The options of a type.
#[derive(Default)]
pub(crate) struct TypeOptions {
    pub(crate) concurrent: bool,
    pub(crate) error: Option<Type>,
    pub(crate) first: bool,
    pub(crate) livedrop: Livedrop,
}

/// The path of the crate `livedrop` in the expansion: `::livedrop`, unless `crate = path` names
/// another.
#[derive(Default)]
pub(crate) struct Livedrop(Option<Path>);

impl Livedrop {
    /// Parses `= path` after the option `crate`, and returns whether it is repeated.
    pub(crate) fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<bool> {
        if !input.peek(Token![=]) {
            let help = "name it: `crate = facade::livedrop`";
            return Err(problem(name, "`crate` needs the path of `livedrop`", help));
        }
        input.parse::<Token![=]>()?;
        Ok(self.0.replace(Path::parse_mod_style(input)?).is_some())
    }

    /// Returns the path for `quote_spanned!`. The compiler reports an error about it at `span`, and
    /// resolves it where it is written.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        let Some(path) = &self.0 else {
            return quote_spanned!(span=> ::livedrop);
        };
        let at = |mut token: TokenTree| {
            token.set_span(span.resolved_at(token.span()));
            token
        };
        path.to_token_stream().into_iter().map(at).collect()
    }
}

impl ToTokens for Livedrop {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.0 {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote!(::livedrop)),
        }
    }
}

/// The mark of a field.
pub(crate) enum Mark {
    /// `#[async_drop]`, or `#[async_drop(map_err = path)]`.
    Clean { map_err: Option<ExprPath> },
    /// `#[async_drop(skip)]`.
    Skip,
}

const OPTIONS: &str = "a type takes `#[async_drop(concurrent)]`, \
                       `#[async_drop(error = Error)]`, `#[async_drop(first)]` and \
                       `#[async_drop(crate = path)]`, \
                       a field takes `#[async_drop]`, `#[async_drop(skip)]` or \
                       `#[async_drop(map_err = path)]`";

impl TypeOptions {
    pub(crate) fn new(attributes: &[Attribute], problems: &mut Problems) -> Self {
        let mut found = Self::default();
        for attribute in ours(attributes) {
            if let Meta::Path(path) = &attribute.meta {
                problems.add(path, "`#[async_drop]` marks a field, not a type", OPTIONS);
            }
            found.read(attribute, problems);
        }
        found
    }

    fn read(&mut self, attribute: &Attribute, problems: &mut Problems) {
        each_option(attribute, problems, |name, input| {
            let again = match name.to_string().as_str() {
                "concurrent" => std::mem::replace(&mut self.concurrent, true),
                "first" => std::mem::replace(&mut self.first, true),
                "error" => {
                    if !input.peek(Token![=]) {
                        let help = "name it: `#[async_drop(error = Error)]`";
                        return Err(problem(name, "`error` needs the type of the error", help));
                    }
                    input.parse::<Token![=]>()?;
                    self.error.replace(input.parse()?).is_some()
                }
                "crate" => self.livedrop.read(name, input)?,
                other => {
                    let wrong = format!("a type has no option `{other}`");
                    return Err(problem(name, &wrong, OPTIONS));
                }
            };
            if again {
                let wrong = format!("`{name}` is repeated");
                return Err(problem(name, &wrong, "write it once"));
            }
            Ok(())
        });
    }
}

/// Returns the mark of a field, if it has one.
pub(crate) fn mark(attributes: &[Attribute], problems: &mut Problems) -> Option<Mark> {
    let mut found = None;
    for attribute in ours(attributes) {
        let mut marks = Vec::new();
        match &attribute.meta {
            Meta::Path(_) => marks.push(Mark::Clean { map_err: None }),
            _ => each_option(attribute, problems, |name, input| {
                marks.push(match name.to_string().as_str() {
                    "skip" => Mark::Skip,
                    "map_err" => Mark::Clean { map_err: Some(map_err(name, input)?) },
                    _ => {
                        let wrong = format!("a field has no option `{name}`");
                        return Err(problem(name, &wrong, OPTIONS));
                    }
                });
                Ok(())
            }),
        }
        for mark in marks {
            match (&found, &mark) {
                (None, _) => found = Some(mark),
                (Some(Mark::Clean { .. }), Mark::Clean { .. }) | (Some(Mark::Skip), Mark::Skip) => {
                    problems.add(
                        &attribute.meta,
                        "this field is marked twice",
                        "write the attribute once",
                    );
                }
                (Some(_), _) => problems.add(
                    &attribute.meta,
                    "`#[async_drop]` and `#[async_drop(skip)]` contradict each other",
                    "keep `#[async_drop]` to clean up the field, or `#[async_drop(skip)]` to skip it",
                ),
            }
        }
    }
    found
}

/// Parses `= path` after the option `map_err`.
fn map_err(name: &Ident, input: ParseStream<'_>) -> syn::Result<ExprPath> {
    if !input.peek(Token![=]) {
        let help = "name it: `#[async_drop(map_err = Error::Socket)]`";
        return Err(problem(name, "`map_err` needs the path of a function", help));
    }
    input.parse::<Token![=]>()?;
    input.parse()
}

/// Rejects the attribute on a variant, which has no options.
pub(crate) fn none_here(attributes: &[Attribute], problems: &mut Problems) {
    for attribute in ours(attributes) {
        problems.add(
            &attribute.meta,
            "`#[async_drop]` marks a field, not a variant",
            "write it before the field: `Open(#[async_drop] File)`",
        );
    }
}

fn ours(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("async_drop"))
}

/// Calls `read` for each option of a comma-separated list. It continues after a problem, so that
/// all of them are reported.
fn each_option(
    attribute: &Attribute,
    problems: &mut Problems,
    mut read: impl FnMut(&Ident, ParseStream) -> syn::Result<()>,
) {
    let list = match &attribute.meta {
        Meta::Path(_) => return,
        Meta::NameValue(value) => {
            return problems.add(value, "`async_drop` takes no value", OPTIONS);
        }
        Meta::List(list) if list.tokens.is_empty() => {
            return problems.add(list, "`#[async_drop()]` has no option", OPTIONS);
        }
        Meta::List(list) => list,
    };
    let parsed = list.parse_args_with(|input: ParseStream| {
        while !input.is_empty() {
            let name = input.call(Ident::parse_any)?;
            match read(&name, input) {
                Err(problem) => {
                    problems.merge(problem);
                    while !input.is_empty() && !input.peek(Token![,]) {
                        input.parse::<TokenTree>()?;
                    }
                }
                Ok(()) if input.is_empty() || input.peek(Token![,]) => {}
                Ok(()) => {
                    let rest: TokenTree = input.parse()?;
                    let wrong = format!("only a comma may follow `{name}`");
                    problems.add(rest, &wrong, OPTIONS);
                    while !input.is_empty() && !input.peek(Token![,]) {
                        input.parse::<TokenTree>()?;
                    }
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    });
    if let Err(error) = parsed {
        problems.merge(error);
    }
}
