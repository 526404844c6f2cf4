//! Generates the `impl AsyncDrop`, in the form that a person would write.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, Generics, parse_quote};

use crate::ast::{Ast, Field, Role, Variant};
use crate::guards::mentions;
use crate::options::Livedrop;

pub(crate) fn expand(ast: &Ast<'_>) -> TokenStream {
    let error = error(ast);
    let unboxed = unboxed(ast);
    let boxed = boxed(&ast.options.livedrop, &checks(ast), None);
    implement(ast, &bounded(ast), &quote!(#error #boxed #unboxed))
}

/// Generates an `impl` for a rejected type, so that its uses compile and only its mistakes are
/// reported.
pub(crate) fn stand_in(ast: &Ast<'_>) -> TokenStream {
    let unreachable = quote!(::core::unreachable!());
    let boxed = boxed(&ast.options.livedrop, &checks(ast), Some(unreachable));
    let body = quote! {
        type Error = ::core::convert::Infallible;
        #boxed
    };
    implement(ast, &ast.input.generics, &body)
}

fn implement(ast: &Ast<'_>, generics: &Generics, body: &TokenStream) -> TokenStream {
    let (name, livedrop) = (&ast.input.ident, &ast.options.livedrop);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    // A bound on a type without parameters is trivial, and rustc warns about it.
    let allow = gives_unknown_error(ast).map(|_| quote!(#[allow(trivial_bounds)]));
    quote! {
        #[automatically_derived]
        #allow
        impl #impl_generics #livedrop::AsyncDrop for #name #ty_generics #where_clause {
            #body
        }
    }
}

/// Generates the boxed method, with the signature that `async_trait` generates. It returns the
/// boxed future of the unboxed method, unless `instead` is given.
pub(crate) fn boxed(
    livedrop: &Livedrop,
    before: &TokenStream,
    instead: Option<TokenStream>,
) -> TokenStream {
    let future = instead.unwrap_or_else(
        || quote!(#livedrop::__private::Box::pin(#livedrop::AsyncDrop::async_drop_unboxed(self))),
    );
    quote! {
        fn async_drop_impl<'life0, 'async_trait>(
            &'life0 mut self,
        ) -> ::core::pin::Pin<
            #livedrop::__private::Box<
                dyn ::core::future::Future<Output = ::core::result::Result<(), Self::Error>>
                    + ::core::marker::Send
                    + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            #before
            #future
        }
    }
}

/// Generates the checks that no skipped field is an alias of a type with a cleanup. They stand in
/// the `impl`, where the generics are in scope.
fn checks(ast: &Ast<'_>) -> TokenStream {
    let unmarked = ast.fields().filter(|field| matches!(field.role, Role::Unmarked));
    unmarked
        .map(|Field { ty, .. }| {
            let livedrop = ast.options.livedrop.at(ty.span());
            quote_spanned!(ty.span()=>
                #livedrop::__private::UnmarkedField::<#ty>::new().owes_no_cleanup();
            )
        })
        .collect()
}

/// Returns the error type of a field, or of one guard if the field is a vector.
fn error_of(ast: &Ast<'_>, field: &Field<'_>) -> TokenStream {
    let livedrop = &ast.options.livedrop;
    let ty = field.each().unwrap_or(field.ty);
    if field.is_no_guard_itself() {
        quote!(<#ty as #livedrop::__private::FieldToCleanUp>::Error)
    } else {
        quote!(<#ty as #livedrop::AsyncDrop>::Error)
    }
}

/// Returns the first field, if its error is the error of the type, but only the compiler knows
/// whether it has one.
fn gives_unknown_error<'a, 'b>(ast: &'b Ast<'a>) -> Option<&'b Field<'a>> {
    ast.gives_error().filter(|field| ast.options.error.is_none() && field.is_no_guard_itself())
}

/// Returns the error type that all fields share, and the span of its source.
fn shared_error(ast: &Ast<'_>) -> (TokenStream, Span) {
    match (&ast.options.error, ast.gives_error()) {
        (Some(named), _) => (named.to_token_stream(), named.span()),
        (None, Some(field)) => (error_of(ast, field), field.ty.span()),
        (None, None) => unreachable!("`valid::check` rejects types without an error"),
    }
}

/// Generates `type Error`. It has the span of the field that gives the error, so that an error about
/// the type points there.
fn error(ast: &Ast<'_>) -> TokenStream {
    let (shared, span) = shared_error(ast);
    if ast.has_several_errors() && !ast.options.first {
        let livedrop = ast.options.livedrop.at(span);
        quote_spanned!(span=> type Error = #livedrop::CleanupErrors<#shared>;)
    } else {
        quote_spanned!(span=> type Error = #shared;)
    }
}

fn unboxed(ast: &Ast<'_>) -> TokenStream {
    let body = match &ast.input.data {
        Data::Enum(_) => of_enum(ast),
        _ => of_struct(ast, &ast.variants[0]),
    };
    quote! {
        fn async_drop_unboxed(
            &mut self,
        ) -> impl ::core::future::Future<Output = ::core::result::Result<(), Self::Error>>
            + ::core::marker::Send {
            #body
        }
    }
}

/// Destructures the struct before the `async` block, so that the future holds only the fields that
/// it cleans up, and only they must be `Send`.
fn of_struct(ast: &Ast<'_>, form: &Variant<'_>) -> TokenStream {
    let pattern = pattern(&quote!(Self), form);
    let cleaned: Vec<_> = form.cleaned().collect();
    let body = match &cleaned[..] {
        [field] if ast.options.error.is_none() && !field.is_no_guard_itself() => {
            let Field { binding, ty, .. } = field;
            let livedrop = ast.options.livedrop.at(ty.span());
            quote_spanned!(ty.span()=> #livedrop::AsyncDrop::async_drop_unboxed(#binding))
        }
        [field] if !ast.has_several_errors() => clean_field(ast, field),
        _ => {
            let (new, runs) = (new_cleanups(ast), runs(ast, form));
            let end = end(ast);
            quote!(async move { #new #runs #end })
        }
    };
    quote!(let #pattern = self; #body)
}

/// Generates the cleanup of a field that has the only error of a value.
fn clean_field(ast: &Ast<'_>, field: &Field<'_>) -> TokenStream {
    let Field { binding, ty, .. } = field;
    let livedrop = ast.options.livedrop.at(ty.span());
    if let Some(map_err) = field.map_err() {
        quote_spanned! {ty.span()=>
            #livedrop::__private::clean_field_mapped(#binding, #map_err)
        }
    } else {
        quote_spanned!(ty.span()=> #livedrop::__private::clean_field(#binding))
    }
}

fn of_enum(ast: &Ast<'_>) -> TokenStream {
    let several = ast.has_several_errors();
    let arms = ast.variants.iter().map(|variant| {
        let name = variant.ident;
        let pattern = pattern(&quote!(Self::#name), variant);
        let cleaned: Vec<_> = variant.cleaned().collect();
        match &cleaned[..] {
            [] if several => quote!(#pattern => {}),
            [] => quote!(#pattern => ::core::result::Result::Ok(()),),
            [field] if !several => {
                let cleanup = clean_field(ast, field);
                quote_spanned!(field.ty.span()=> #pattern => #cleanup.await,)
            }
            _ => {
                let runs = runs(ast, variant);
                quote!(#pattern => { #runs })
            }
        }
    });
    if several {
        let (new, end) = (new_cleanups(ast), end(ast));
        quote!(async move { #new match self { #(#arms)* } #end })
    } else {
        quote!(async move { match self { #(#arms)* } })
    }
}

/// Returns the variable that collects the results. Its name cannot clash with a constant.
fn cleanups() -> Ident {
    Ident::new("__cleanups", Span::mixed_site())
}

fn new_cleanups(ast: &Ast<'_>) -> TokenStream {
    let livedrop = &ast.options.livedrop;
    let cleanups = cleanups();
    quote!(let #cleanups = #livedrop::__private::Cleanups::<Self, _>::new();)
}

/// Generates the result: all errors, or only the first one.
fn end(ast: &Ast<'_>) -> TokenStream {
    let cleanups = cleanups();
    if ast.options.first { quote!(#cleanups.end_first()) } else { quote!(#cleanups.end()) }
}

/// Generates the cleanups of the fields, sequential or concurrent.
fn runs(ast: &Ast<'_>, variant: &Variant<'_>) -> TokenStream {
    let (cleanups, livedrop) = (cleanups(), &ast.options.livedrop);
    let run = |field: &Field<'_>| {
        let Field { binding, ty, .. } = field;
        let map_err = field.map_err().into_iter();
        let run = match (field.each(), field.map_err()) {
            (None, None) => "run",
            (Some(_), None) => "run_each",
            (None, Some(_)) => "run_mapped",
            (Some(_), Some(_)) => "run_each_mapped",
        };
        let run = Ident::new(run, ty.span());
        quote_spanned!(ty.span()=> #cleanups.#run(#binding #(, #map_err)*))
    };
    if !ast.options.concurrent {
        return variant.cleaned().map(run).map(|run| quote!(#run.await;)).collect();
    }
    let mut runs: Vec<_> = variant.cleaned().map(run).collect();
    let Some(mut all) = runs.pop() else {
        return TokenStream::new();
    };
    while let Some(run) = runs.pop() {
        all = quote!(#livedrop::__private::join(#run, #all));
    }
    quote!(#all.await;)
}

/// Generates a pattern that binds the fields that are cleaned up.
fn pattern(path: &TokenStream, variant: &Variant<'_>) -> TokenStream {
    if variant.is_tuple {
        let fields = variant.fields.iter().map(|field| {
            let binding = &field.binding;
            if field.is_cleaned() { quote!(#binding) } else { quote!(_) }
        });
        return quote!(#path(#(#fields),*));
    }
    let bindings = variant.cleaned().map(|Field { name, binding, .. }| quote!(#name: #binding));
    let rest = variant.fields.iter().any(|field| !field.is_cleaned()).then(|| quote!(..));
    let bindings = bindings.chain(rest);
    if variant.fields.is_empty() { quote!(#path {}) } else { quote!(#path { #(#bindings),* }) }
}

/// Returns the generics, with the bounds that the cleanup needs.
fn bounded(ast: &Ast<'_>) -> Generics {
    let mut generics = ast.input.generics.clone();
    let params: Vec<&Ident> = ast.input.generics.type_params().map(|param| &param.ident).collect();
    // No bounds on a type that mentions itself: they would be cyclic.
    let self_type = Ident::new("Self", Span::call_site());
    let is_generic = |tokens: TokenStream| {
        mentions(tokens.clone(), &params) && !mentions(tokens, &[&ast.input.ident, &self_type])
    };
    let (several, livedrop) = (ast.has_several_errors(), &ast.options.livedrop);
    let (error, _) = shared_error(ast);
    let mut clauses: Vec<TokenStream> = Vec::new();
    let mut add = |clause: TokenStream| {
        if !clauses.iter().any(|known| known.to_string() == clause.to_string()) {
            clauses.push(clause);
        }
    };
    for field in ast.cleaned().filter(|field| is_generic(field.ty.to_token_stream())) {
        let (ty, error) = (field.ty, error_of(ast, field));
        let trait_ = match field.each() {
            // With this bound, the compiler ignores the `impl` for `Vec`: name the error, too.
            Some(each) => {
                add(quote!(#each: #livedrop::AsyncDrop));
                quote!(#livedrop::AsyncDrop<Error = #livedrop::CleanupErrors<#error>>)
            }
            None if field.is_no_guard_itself() => quote!(#livedrop::__private::FieldToCleanUp),
            None => quote!(#livedrop::AsyncDrop),
        };
        add(quote!(#ty: #trait_ + ::core::marker::Send));
    }
    if let Some(Field { ty, .. }) = gives_unknown_error(ast) {
        let words = ty.to_token_stream();
        if !is_generic(words.clone()) && !mentions(words, &[&ast.input.ident, &self_type]) {
            let livedrop = livedrop.at(ty.span());
            add(quote_spanned!(ty.span()=> #ty: #livedrop::__private::FieldToCleanUp));
        }
    }
    for field in ast.cleaned().filter(|field| field.map_err().is_none()) {
        let (ty, from) = (field.ty.to_token_stream(), error_of(ast, field));
        let converts = from.to_string() != error.to_string();
        if converts && is_generic(quote!(#ty #error)) {
            // Not `From`: with this bound, the error at a use of the type shows the advice.
            add(quote!(#error: #livedrop::__private::TakesFieldError<#from>));
        }
    }
    if several && is_generic(error.clone()) {
        add(quote!(#error: ::core::marker::Send));
    }
    if matches!(ast.input.data, Data::Enum(_)) && !params.is_empty() {
        // The `async` block holds `&mut self`, because it finds the active variant.
        add(quote!(Self: ::core::marker::Send));
    }
    if !clauses.is_empty() {
        let clauses = clauses.into_iter().map(|clause| parse_quote!(#clause));
        generics
            .make_where_clause()
            .predicates
            .extend::<Vec<syn::WherePredicate>>(clauses.collect());
    }
    generics
}
