//! The guide: how to use the crate, page by page.
//!
//! | page | read it |
//! |---|---|
//! | [`patterns`] | to find the form for a task |
//! | [`gotchas`] | before the first review: the common mistakes, and how each one is found |
//! | [`helpers`] | to share guards, to collect them, or to clean several up |
//! | [`strict`] | to let the compiler check, and to read its errors |
//! | [`cancellation`] | before a guard lives in a future that may be dropped |
//! | [`shutdown`] | before a service that has a reaper ends for the first time |
//! | [`migrating`] | to come from a guard of your own, from `Drop`, or from `scopeguard` |
//! | [`faq`] | for the public complaints that the crate answers, each with its test |
//! | [`compile_fail`] | for every misuse that the compiler rejects |

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

#[doc = include_str!("guide/migrating.md")]
pub mod migrating {}

// The table links to tests and examples, which rustdoc does not have. The style disables these links.
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
