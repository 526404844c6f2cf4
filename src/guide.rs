//! The guide: how to use the crate, page by page.
//!
//! # Eight words
//!
//! - **Guard**: an [`AsyncDropGuard`](crate::AsyncDropGuard). It holds a value whose cleanup must be
//!   awaited.
//! - **State**: the second parameter of a guard's type. It decides what happens if the cleanup is
//!   forgotten or cancelled: [`Checked`](crate::Checked), [`Live`](crate::Live), [`Adopted`](crate::Adopted).
//! - **Proof**: a guard in the state [`Dropped`](crate::Dropped). Only the cleanup makes one, so a
//!   function that takes it runs after the cleanup.
//! - **Scope**: the body of [`scope!`](crate::scope!). It compiles only if it returns the proof of its own
//!   guard.
//! - **Adopt**: to register a guard with a reaper. If its owner drops it, the reaper gets the
//!   value.
//! - **Reaper**: a [`Reaper`](crate::Reaper). It finishes the cleanups of the values that it gets, each
//!   once.
//! - **Orphan**: an adopted value whose owner is gone. The reaper polls its cleanup, and
//!   [`drain`](crate::Reaper::drain) waits for it.
//! - **Hook**: the function that gets all reports without a caller: a forgotten guard, a failed orphan, a
//!   second error. See [`hook`](crate::hook).
//!
//! # When not to use this crate
//!
//! - `Drop` can do the cleanup without waiting. Then `Drop` is simpler, and nobody can forget it.
//! - The future of the cleanup is not `Send`: not supported yet. A cleanup that uses a value which is not `Send`
//!   has such a future.
//! - The program is built with `panic = "abort"` and must clean up after a panic. No code runs then.
//! - The value lives in a `static`, or is leaked on purpose. It is never dropped, so no guard can
//!   report it.
//!
//! # Pages
//!
//! | page | read it |
//! |---|---|
//! | [`async_drop_in_rust`] | to learn what the language has, and what each way around it loses |
//! | [`patterns`] | to find the form for a task |
//! | [`gotchas`] | before the first review: the common mistakes, and how each one is found |
//! | [`helpers`] | to share guards, to collect them, or to clean several up |
//! | [`strict`] | to let the compiler check, and to read its errors |
//! | [`cancellation`] | before a guard lives in a future that may be dropped |
//! | [`shutdown`] | before a service that has a reaper ends for the first time |
//! | [`testing`] | to test that nothing is left, and that a cleanup can be cancelled |
//! | [`migrating`] | to come from a guard of your own, from `Drop`, or from `scopeguard` |
//! | [`faq`] | for the public complaints that the crate answers, each with its test |
//! | [`compile_fail`] | for every misuse that the compiler rejects |

#[doc = include_str!("guide/async_drop_in_rust.md")]
pub mod async_drop_in_rust {}

#[doc = include_str!("guide/patterns.md")]
pub mod patterns {}

#[doc = include_str!("guide/gotchas.md")]
pub mod gotchas {}

#[doc = include_str!("guide/helpers.md")]
pub mod helpers {}

#[doc = include_str!("guide/strict.md")]
pub mod strict {}

#[doc = include_str!("guide/cancellation.md")]
pub mod cancellation {}

#[doc = include_str!("guide/shutdown.md")]
pub mod shutdown {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/migrating.md")]
pub mod migrating {}

// The page links to tests and examples, which rustdoc does not have. The style disables these links.
/// <style>
/// .livedrop-faq a[href^="../../"] { pointer-events: none; color: inherit; }
/// </style>
/// <div class="livedrop-faq">
///
#[doc = include_str!("guide/faq.md")]
///
/// </div>
pub mod faq {}

// The index links to source files, which rustdoc does not have. The style disables these links and
// shows the path of each file.
/// <style>
/// .livedrop-compile-fail a[href$=".rs"] { pointer-events: none; color: inherit; }
/// .livedrop-compile-fail a[href$=".rs"]::after {
///     content: attr(href); display: block; font-family: monospace; font-size: 85%; opacity: 0.7;
/// }
/// </style>
/// <div class="livedrop-compile-fail">
///
#[doc = include_str!("guide/compile_fail.md")]
///
/// </div>
pub mod compile_fail {}
