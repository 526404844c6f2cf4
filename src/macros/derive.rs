//! The macros of the crate `livedrop-derive`.

/// Cleans up the fields.
pub use livedrop_derive::AsyncDrop;

/// Writes the second method.
pub use livedrop_derive::unboxed;
