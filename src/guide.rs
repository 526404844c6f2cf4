//! The guide: how the crate is meant to be used, page by page.
//!
//! | page | read it |
//! |---|---|
//! | [`patterns`] | to find the form for what you want to do |
//! | [`gotchas`] | before the first review: what goes wrong, and who notices |
//! | [`helpers`] | to share guards, to collect them, to clean several up |
//! | [`strict`] | to let the compiler check, and to read what it says |
//! | [`cancellation`] | before a guard lives in a future that may be dropped |
//! | [`migrating`] | to come from a guard of your own, from `Drop`, or from `scopeguard` |
//! | [`pain_points`] | for the problems behind all this, each with its test |
//! | [`gallery`] | for every misuse that the compiler refuses |

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

#[doc = include_str!("guide/migrating.md")]
pub mod migrating {}

// The table links to tests and examples, which rustdoc does not have. Here these links lead nowhere.
/// <style>
/// .livedrop-pain-points a[href^="../../"] { pointer-events: none; color: inherit; }
/// </style>
/// <div class="livedrop-pain-points">
///
#[doc = include_str!("guide/pain_points.md")]
///
/// </div>
pub mod pain_points {}

// The index links to files beside it. Here the links show where the files stand, and lead nowhere.
/// <style>
/// .livedrop-gallery a[href$=".rs"] { pointer-events: none; color: inherit; }
/// .livedrop-gallery a[href$=".rs"]::after {
///     content: attr(href); display: block; font-family: monospace; font-size: 85%; opacity: 0.7;
/// }
/// </style>
/// <div class="livedrop-gallery">
///
#[doc = include_str!("guide/gallery.md")]
///
/// </div>
pub mod gallery {}
