//! Finds the types that name a guard. A macro sees only tokens, so it does not resolve aliases: the
//! expansion makes the compiler check the other types.

use quote::ToTokens;
use syn::{GenericArgument, Ident, PathArguments, PathSegment, Type, TypePath};

/// How a type names guards.
pub(crate) enum Named<'a> {
    /// `AsyncDropGuard<…>`.
    Guard,
    /// `Vec<AsyncDropGuard<…>>`, with the type of one guard.
    Vec(&'a Type),
    /// `Option<AsyncDropGuard<…>>`.
    Option,
    /// Anywhere inside another type.
    Inside,
    /// `AsyncDropGuard<T, Live>`, with the segment that names the state, and the type of the value.
    Live(&'a PathSegment, Option<&'a Type>),
}

/// Returns how the type names the guards that its values own.
///
/// A reference, a function pointer and `PhantomData` own no guard, and a proof is not a guard.
pub(crate) fn named(ty: &Type) -> Option<Named<'_>> {
    match ty {
        Type::Group(group) => named(&group.elem),
        Type::Paren(paren) => named(&paren.elem),
        Type::Array(array) => named(&array.elem).map(|_| Named::Inside),
        Type::Slice(slice) => named(&slice.elem).map(|_| Named::Inside),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(named).map(|_| Named::Inside),
        Type::Path(path) => in_segment(path.path.segments.last()?),
        _ => None,
    }
}

fn in_segment(segment: &PathSegment) -> Option<Named<'_>> {
    if segment.ident == "ScopedGuard" {
        return Some(Named::Live(segment, types(segment).next()));
    }
    if segment.ident == "AsyncDropGuard" {
        return match types(segment).nth(1).and_then(last_segment) {
            Some(state) if state.ident == "Dropped" => None,
            Some(state) if state.ident == "Live" => Some(Named::Live(state, types(segment).next())),
            _ => Some(Named::Guard),
        };
    }
    if segment.ident == "PhantomData" {
        return None;
    }
    let inside = types(segment).find_map(|ty| Some((ty, named(ty)?)))?;
    Some(match inside {
        (guard, Named::Guard | Named::Live(..)) if segment.ident == "Vec" => Named::Vec(guard),
        (_, Named::Guard | Named::Live(..)) if segment.ident == "Option" => Named::Option,
        _ => Named::Inside,
    })
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Group(group) => last_segment(&group.elem),
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// Returns the types among the generic arguments.
fn types(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Types that own no value of their type arguments, or share one, which they cannot clean up alone.
const OWN_NOTHING: [&str; 7] =
    ["Arc", "AsyncDropGuard", "AsyncDropWeak", "PhantomData", "Proof", "Rc", "Weak"];

/// Returns whether a value of the type may own a value whose type is a type parameter, or an
/// associated type of one. The type names no guard, so an `AsyncDropGuard` in it is a proof.
pub(crate) fn may_own(ty: &Type, params: &[&Ident]) -> bool {
    match ty {
        Type::Group(group) => may_own(&group.elem, params),
        Type::Paren(paren) => may_own(&paren.elem, params),
        Type::Array(array) => may_own(&array.elem, params),
        Type::Slice(slice) => may_own(&slice.elem, params),
        Type::Tuple(tuple) => tuple.elems.iter().any(|elem| may_own(elem, params)),
        Type::Path(path) if path.qself.is_some() => mentions(path.to_token_stream(), params),
        Type::Path(TypePath { path, .. }) => {
            let is_parameter = |first: &PathSegment| params.contains(&&first.ident);
            let owns = |last: &PathSegment| {
                !OWN_NOTHING.iter().any(|name| last.ident == name)
                    && types(last).any(|ty| may_own(ty, params))
            };
            path.segments.first().is_some_and(is_parameter)
                || path.segments.last().is_some_and(owns)
        }
        _ => false,
    }
}

/// Returns whether one of the words occurs in the tokens.
pub(crate) fn mentions(tokens: proc_macro2::TokenStream, words: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(word) => words.contains(&&word),
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), words),
        _ => false,
    })
}
