//! Expansions in a hostile place: without the prelude, with types and fields named like those of the
//! standard library, and with every warning as an error.
#![no_implicit_prelude]
#![deny(warnings, clippy::all, clippy::pedantic)]
#![deny(unused_qualifications, unused_lifetimes, unreachable_pub, elided_lifetimes_in_paths)]
#![allow(dead_code, reason = "nothing is made of them: they only have to compile")]

/// An expansion must not refer to any of these.
mod decoys {
    pub(super) struct Result;
    pub(super) struct Option;
    pub(super) struct Box;
    pub(super) struct Pin;
    pub(super) struct Some;
    pub(super) struct Ok;
    pub(super) struct Vec;
    pub(super) trait Send {}
    pub(super) trait Future {}
    pub(super) trait AsyncDrop {}
    pub(super) mod core {}
    pub(super) mod std {}
    pub(super) mod livedrop {}
}

#[allow(unused_imports, reason = "in the way")]
use decoys::*;

struct Part;

#[::livedrop::unboxed]
impl ::livedrop::AsyncDrop for Part {
    type Error = ();

    async fn async_drop_impl(&mut self) -> ::core::result::Result<(), ()> {
        ::core::result::Result::Ok(())
    }
}

#[derive(::livedrop::AsyncDrop)]
struct Fields<Result, Send, E> {
    error: ::livedrop::AsyncDropGuard<Part>,
    cleanups: ::livedrop::AsyncDropGuard<Part>,
    r#type: ::livedrop::AsyncDropGuard<Part>,
    #[async_drop(skip)]
    ok: Result,
    #[async_drop(skip)]
    send: ::std::vec::Vec<Send>,
    #[async_drop(skip)]
    e: E,
}

/// Constants and statics with the names of fields. A pattern with such a name would not bind it.
#[allow(non_upper_case_globals, reason = "named like fields")]
mod constants {
    pub(super) const LIMIT: u8 = 1;
    pub(super) const value: u8 = 0;
    pub(super) const field1: u8 = 0;
    pub(super) const cleanups: u8 = 0;
    pub(super) static other: u8 = 0;
}

#[allow(unused_imports, reason = "in the way")]
use constants::*;

#[derive(::livedrop::AsyncDrop)]
#[allow(non_snake_case, reason = "as in the bindings of a foreign interface")]
struct Constants {
    LIMIT: ::livedrop::AsyncDropGuard<Part>,
    field1: ::livedrop::AsyncDropGuard<Part>,
    value: ::livedrop::AsyncDropGuard<Part>,
    other: ::livedrop::AsyncDropGuard<Part>,
}

#[derive(::livedrop::AsyncDrop)]
enum ConstantsOfVariants {
    One { value: ::livedrop::AsyncDropGuard<Part> },
    Two { other: ::livedrop::AsyncDropGuard<Part>, name: u8 },
}

/// The attribute may stand in a `cfg_attr`.
#[derive(::livedrop::AsyncDrop)]
#[cfg_attr(all(), async_drop(error = (), first))]
struct Configured {
    #[cfg_attr(all(), async_drop(skip))]
    skipped: Part,
    #[cfg_attr(all(), async_drop)]
    marked: Part,
    #[cfg_attr(any(), async_drop(skip))]
    guard: ::livedrop::AsyncDropGuard<Part>,
}

#[derive(::livedrop::AsyncDrop)]
#[async_drop(concurrent)]
enum Variants<'a, T> {
    Ok(::livedrop::AsyncDropGuard<Part>),
    Err { error: ::livedrop::AsyncDropGuard<Part>, some: &'a T },
    Some(::livedrop::AsyncDropGuard<Part>, ::livedrop::AsyncDropGuard<T>),
    None,
}

#[derive(::livedrop::AsyncDrop)]
enum Single<T> {
    Ok(::livedrop::AsyncDropGuard<T>),
    None,
}

#[derive(::livedrop::AsyncDrop)]
#[async_drop(error = ())]
struct Marked {
    #[async_drop]
    part: Part,
    #[async_drop(skip)]
    skipped: Part,
    text: ::std::string::String,
}

/// A public type may hold a private value if its error is named.
#[derive(::livedrop::AsyncDrop)]
#[async_drop(error = ())]
#[expect(unreachable_pub, reason = "the test needs the keyword `pub`")]
pub struct Public<T> {
    part: ::livedrop::AsyncDropGuard<Private<T>>,
    #[async_drop]
    plain: Part,
}

struct Private<T>(T);

#[::livedrop::unboxed]
impl<T: ::core::marker::Send> ::livedrop::AsyncDrop for Private<T> {
    type Error = ();

    async fn async_drop_impl(&mut self) -> ::core::result::Result<(), ()> {
        ::core::result::Result::Ok(())
    }
}
