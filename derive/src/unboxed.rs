//! `#[livedrop::unboxed]`: generates both methods of the trait from one.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, ImplItem, ImplItemFn, ItemImpl, ReturnType, Token};

use crate::expand::boxed;
use crate::options::Livedrop;
use crate::problems::{Problems, problem};

const FORM: &str = "`#[livedrop::unboxed] impl AsyncDrop for Type { type Error = Error; \
                    async fn async_drop_impl(&mut self) -> Result<(), Error> { … } }`";

pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let livedrop = match syn::parse::Parser::parse2(livedrop, arguments.clone()) {
        Ok(livedrop) => livedrop,
        Err(error) => {
            problems.merge(error);
            Livedrop::default()
        }
    };
    let mut block = match parse(item) {
        Ok(block) => block,
        Err(error) => {
            problems.merge(error);
            return problems.into_error().map(syn::Error::into_compile_error).into_iter().collect();
        }
    };
    remove_async_trait(&mut block.attrs, &mut problems);
    let mut items = Vec::new();
    for item in std::mem::take(&mut block.items) {
        match item {
            ImplItem::Fn(method) if method.sig.ident == "async_drop_impl" => {
                items.extend(both(method, &livedrop, &mut problems));
            }
            ImplItem::Fn(method) if method.sig.ident == "async_drop_unboxed" => problems.add(
                &method.sig.ident,
                "`#[livedrop::unboxed]` generates `async_drop_unboxed`",
                &format!("remove this method: {FORM}"),
            ),
            other => items.push(other),
        }
    }
    block.items = items;
    let errors = problems.into_error().map(syn::Error::into_compile_error);
    quote!(#errors #block)
}

/// Parses the arguments: none, or `crate = path`.
fn livedrop(input: ParseStream<'_>) -> syn::Result<Livedrop> {
    let mut livedrop = Livedrop::default();
    if input.peek(Token![crate]) {
        let name = input.call(Ident::parse_any)?;
        livedrop.read(&name, input)?;
        input.parse::<Option<Token![,]>>()?;
    }
    if input.is_empty() {
        return Ok(livedrop);
    }
    let rest: TokenStream = input.parse()?;
    let wrong = "`#[livedrop::unboxed]` takes no arguments but `crate = path`";
    Err(problem(rest, wrong, FORM))
}

fn parse(item: TokenStream) -> syn::Result<ItemImpl> {
    let Ok(block) = syn::parse2::<ItemImpl>(item.clone()) else {
        return match syn::parse2::<syn::Item>(item.clone()) {
            // The input is not valid Rust: the parser's error is more precise than ours.
            Err(error) => Err(error),
            Ok(_) => Err(not_ours(item)),
        };
    };
    match &block.trait_ {
        Some((path, _)) if path.segments.last().is_some_and(|last| last.ident == "AsyncDrop") => {
            Ok(block)
        }
        Some((path, _)) => Err(not_ours(path)),
        None => Err(not_ours(&block.self_ty)),
    }
}

fn not_ours(culprit: impl ToTokens) -> syn::Error {
    problem(culprit, "`#[livedrop::unboxed]` works only on an `impl AsyncDrop for …`", FORM)
}

/// Removes and reports `#[async_trait]`, which would rewrite the generated methods.
fn remove_async_trait(attributes: &mut Vec<Attribute>, problems: &mut Problems) {
    attributes.retain(|attribute| {
        let is_it =
            attribute.path().segments.last().is_some_and(|last| last.ident == "async_trait");
        if is_it {
            problems.merge(twice(&attribute.meta));
        }
        !is_it
    });
}

fn twice(culprit: impl ToTokens) -> syn::Error {
    let wrong = "`#[livedrop::unboxed]` replaces `#[async_trait]`: use only one of them";
    problem(culprit, wrong, &format!("remove `#[async_trait]`: {FORM}"))
}

/// Generates the boxed method, and the unboxed one with the written body.
fn both(mut method: ImplItemFn, livedrop: &Livedrop, problems: &mut Problems) -> Vec<ImplItem> {
    let signature = &mut method.sig;
    if signature.asyncness.take().is_none() {
        let lifetimes = signature.generics.lifetimes();
        let is_expanded = lifetimes.into_iter().any(|life| life.lifetime.ident == "async_trait");
        problems.merge(if is_expanded {
            twice(&signature.ident)
        } else {
            let wrong = "this `async_drop_impl` is not an `async fn`";
            problem(signature.fn_token, wrong, &format!("write it as an `async fn`: {FORM}"))
        });
        return vec![ImplItem::Fn(method)];
    }
    let output = match &signature.output {
        ReturnType::Type(_, output) => output.to_token_stream(),
        ReturnType::Default => {
            let wrong = "`async_drop_impl` must return a `Result`";
            let help = "`async fn async_drop_impl(&mut self) -> Result<(), Self::Error>`";
            problems.add(&signature.ident, wrong, help);
            quote!(::core::result::Result<(), Self::Error>)
        }
    };
    let (attributes, block) = (&method.attrs, &method.block);
    let (generics, inputs) = (&signature.generics, &signature.inputs);
    let where_clause = &generics.where_clause;
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let boxed = boxed(livedrop, &TokenStream::new(), None);
    [
        quote!(#(#conditions)* #boxed),
        quote! {
            #(#attributes)*
            fn async_drop_unboxed #generics (
                #inputs
            ) -> impl ::core::future::Future<Output = #output> + ::core::marker::Send #where_clause {
                async move #block
            }
        },
    ]
    .into_iter()
    .map(ImplItem::Verbatim)
    .collect()
}
