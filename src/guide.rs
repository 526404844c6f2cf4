//! The guide: how the crate is meant to be used, page by page.

#[doc = include_str!("guide/cancellation.md")]
pub mod cancellation {}
