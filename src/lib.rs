//! Guards for values whose cleanup must be awaited.
#![forbid(unsafe_code)]

mod all;
mod async_drop;
mod bomb;
mod caught;
mod errors;
mod exclusive;
mod findings;
mod guard;
mod helpers;
pub mod hook;
mod macros;
mod outcome;
mod scope;
mod state;
mod type_name;
mod with;

pub use async_drop::AsyncDrop;
pub use errors::CleanupErrors;
pub use guard::AsyncDropGuard;
pub use helpers::{CleanupFn, CleanupOutput, Deferred};
pub use outcome::Outcome;
pub use scope::{Proof, ScopedGuard, scope};
pub use state::{
    Armed, ArmsLike, Brand, Checked, Cleans, Dropped, Enters, Holds, Lends, Live, Scoped, State,
    Unscoped,
};
pub use with::{bracket, with_async_drop};

// Not for use. They stand at the root so that the compiler, where it refuses a program in their
// words, has no private path to print.
#[doc(hidden)]
pub use {
    caught::{CannotHappen, Caught, Cleaned, TakesIn},
    guard::{CleansBehindItsGuard, StillOwesItsCleanup},
    state::Sealed,
};

/// What the macros expand to.
#[doc(hidden)]
pub mod __private {
    pub use crate::with::{catch, clean_caught};
    pub use futures::future::join;
}
