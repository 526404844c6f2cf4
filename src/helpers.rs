//! Types that hold guarded values, or values that have no cleanup of their own.

mod deferred;

pub use deferred::{CleanupFn, CleanupOutput, Deferred};
