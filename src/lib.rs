//! Guards for values whose cleanup must be awaited: connections, files with data in memory,
//! transactions, uploads, background tasks.
//!
//! Rust's [`Drop`] cannot await. So such a value is put into an [`AsyncDropGuard`], which owes
//! the cleanup and knows when it was paid. The guard's second parameter is its state:
//!
//! | state | the guard | forgetting the cleanup |
//! |---|---|---|
//! | [`Checked`] | is checked at run time; `async_drop(&mut self)` | panics, naming type and creation site |
//! | [`Live`] | is checked by the compiler; `async_drop(self)` gives the proof | does not compile inside [`scope!`] |
//! | [`Dropped`] | is that proof, and holds nothing | – |
//! | [`Adopted`] | hands the value to a [`Reaper`] if its owner goes; `async_drop(&mut self)` | is not possible: the reaper cleans up, once |
//!
//! [`with_async_drop()`] and [`bracket`] own the guard while a body runs, so that nothing can be
//! forgotten at all. The run-time check always stands behind the types: what they cannot see, a
//! panic or a cancelled future, is reported to the [`hook`].
//!
//! # How to use it
//!
//! Implement [`AsyncDrop`] for the type, and let its constructors return guards, never the value
//! itself. A type of another crate is guarded by [`AsyncDropGuard::with_cleanup`].
//!
//! ```
//! use async_trait::async_trait;
//! use livedrop::{AsyncDrop, AsyncDropGuard, scope, with_async_drop};
//!
//! struct Upload {
//!     parts: u32,
//! }
//!
//! impl Upload {
//!     async fn start() -> std::io::Result<AsyncDropGuard<Upload>> {
//!         Ok(AsyncDropGuard::new(Upload { parts: 0 }))
//!     }
//!
//!     async fn send(&mut self, part: &[u8]) -> std::io::Result<u32> {
//!         // …
//! #       let _ = part;
//!         self.parts += 1;
//!         Ok(self.parts)
//!     }
//! }
//!
//! #[async_trait]
//! impl AsyncDrop for Upload {
//!     type Error = std::io::Error;
//!
//!     async fn async_drop_impl(&mut self) -> std::io::Result<()> {
//!         // commit, or abort
//!         Ok(())
//!     }
//! }
//!
//! # futures::executor::block_on(async {
//! // Cleaned up however the body ends.
//! let parts = with_async_drop(Upload::start().await?, async |upload| {
//!     upload.send(b"one").await?;
//!     upload.send(b"two").await
//! })
//! .await?;
//!
//! // Cleaned up by hand, and checked by the compiler.
//! let upload = AsyncDropGuard::live(Upload { parts });
//! let parts = scope!(upload, async |mut upload| {
//!     let sent = upload.send(b"three").await;
//!     upload.async_drop().await.after(sent)
//! })
//! .await?;
//! assert_eq!(parts, 3);
//! # Ok::<(), std::io::Error>(())
//! # }).unwrap();
//! ```
//!
//! # Which helper for which need
//!
//! | you need | take |
//! |---|---|
//! | a guard for a type of another crate | [`AsyncDropGuard::with_cleanup`] |
//! | several owners; a reference that keeps nothing | [`AsyncDropArc`]; [`AsyncDropWeak`] |
//! | `&mut T` from several places | [`AsyncDropMutex`], `AsyncDropTokioMutex` |
//! | many values of one type, by key or in a row | [`AsyncDropHashMap`], [`AsyncDropVec`] |
//! | values of many types in an order; an async `defer` | [`AsyncDropStack`] |
//! | a few variables cleaned up at once | [`async_drop_all()`] |
//! | a guard or an error; two such results as one | [`AsyncDropResult`]; [`flatten_async_drop`] |
//! | one opening for all who ask | [`AsyncDropShared`] |
//! | a background task | `task::spawn` |
//! | cleanup although the owner is cancelled | [`Reaper`] |
//!
//! Each container is in the state of the guards in it. More on them, and on everything else, is in the
//! [`guide`]: [patterns](guide::patterns), [gotchas](guide::gotchas), [helpers](guide::helpers), the
//! [strict](guide::strict) form, [cancellation](guide::cancellation),
//! [migrating](guide::migrating), and the [gallery](guide::gallery) of what does not compile.
//!
//! # Features
//!
//! * `derive`, on by default: `#[derive(AsyncDrop)]` for types with guards as fields, and
//!   `#[livedrop::unboxed]` for cleanups without a box.
//! * `tokio`: `AsyncDropTokioMutex`, and `task`: background tasks in guards.
//! * `tracing`: an event for every report of the hook.
//! * `testing`: `SyncDrop`, which cleans up in `Drop`, for tests.
//! * `location`: keeps the creation site of every guard in release builds too, which costs a
//!   pointer a guard. Builds with `debug_assertions` always keep it.

#![forbid(unsafe_code)]
// On docs.rs, what needs a feature says which.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod all;
mod async_drop;
pub mod collections;
pub mod deferred;
mod derive;
mod errors;
mod flatten;
mod guard;
pub mod guide;
pub mod hook;
mod outcome;
mod panic;
pub mod reaper;
pub mod scope;
mod shim;
pub mod state;
pub mod sync;
mod sync_wrapper;
#[cfg(feature = "tokio")]
pub mod task;
#[cfg(feature = "testing")]
pub mod testing;
mod type_name;
mod with;

pub use all::async_drop_all;
pub use async_drop::AsyncDrop;
pub use deferred::Deferred;
#[cfg(feature = "derive")]
pub use derive::{AsyncDrop, unboxed};
pub use errors::CleanupErrors;
pub use flatten::flatten_async_drop;
pub use guard::{AsyncDropGuard, ProofOf};
pub use outcome::Outcome;
pub use reaper::{Reaper, ReaperHandle};
pub use scope::scope;
pub use state::{Adopted, Checked, Dropped, Live};
pub use with::{bracket, with_async_drop};

/// What the macros and the derive's output call. Not for use.
#[doc(hidden)]
pub mod __private {
    pub use futures::future::join;
    pub use std::boxed::Box;

    pub use crate::derive::{
        Cleanups, FieldToCleanUp, MarkedField, OwesCleanup, TakesFieldError, UnmarkedField,
        clean_field,
    };
    pub use crate::guard::{BodyResult, CannotHappen, CleanupResult, FromCleanupError};
    pub use crate::panic::catch;
    pub use crate::with::{clean_caught, lend};
}

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
