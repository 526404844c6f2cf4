//! Expansions in a place that makes it hard: no prelude, types and fields with the names of the
//! standard library's, and every warning an error.
#![no_implicit_prelude]
#![deny(warnings, clippy::all, clippy::pedantic)]
#![deny(unused_qualifications, unused_lifetimes, unreachable_pub, elided_lifetimes_in_paths)]
#![allow(dead_code, reason = "nothing is made of them: they only have to compile")]

/// None of these is what an expansion means.
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

/// Capitals are constants in a pattern.
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

/// What is public may hold what is private if the error has a name of its own.
#[derive(::livedrop::AsyncDrop)]
#[async_drop(error = ())]
#[expect(unreachable_pub, reason = "it is `pub` in name, which is what counts here")]
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
