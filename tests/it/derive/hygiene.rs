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
    ok: Result,
    send: ::std::vec::Vec<Send>,
    e: E,
}

/// A name in capitals is a constant in a pattern.
const LIMIT: u8 = 1;

#[derive(::livedrop::AsyncDrop)]
#[allow(non_snake_case, reason = "as in the bindings of a foreign interface")]
struct Constants {
    LIMIT: ::livedrop::AsyncDropGuard<Part>,
    other: ::livedrop::AsyncDropGuard<Part>,
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
