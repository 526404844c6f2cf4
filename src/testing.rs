//! Tools for tests of code that has guards, for `[dev-dependencies]`.
//!
//! The guide's page on [testing](crate::guide::testing) shows how they are used.
//!
//! | you test that | use |
//! |---|---|
//! | nothing is left when the test ends, also if it panics | [`leaks`] |
//! | nothing is left if a future is cancelled, at any `.await` | [`at_every_poll`] |
//! | a cleanup that was cancelled can be called again | [`cancel_after`] |
//! | something, without `async` | [`SyncDrop`] |

mod cancel;
mod leaks;
mod sync_drop;

pub use cancel::{at_every_poll, cancel_after};
pub use leaks::leaks;
pub use sync_drop::SyncDrop;
