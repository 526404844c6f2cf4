//! Guards for values whose cleanup must be awaited: connections, buffered files, transactions,
//! uploads, background tasks.
//!
//! Rust's [`Drop`] cannot await. With this crate, a value with an async cleanup lives in an
//! [`AsyncDropGuard`] until its `async_drop` has been awaited. If a guard is dropped before that, the
//! library reports its type and creation site to the [`hook`]. The default hook panics.
//!
//! # Getting started
//!
//! 1. Implement [`AsyncDrop`] for your type. For a type of another crate, call
//!    [`AsyncDropGuard::with_cleanup`] instead: it takes the value and a closure.
//! 2. Return an [`AsyncDropGuard`] from each constructor, never the value itself.
//! 3. Use the value inside [`with_async_drop()`], which cleans up however the body ends: with a
//!    value, an error or a panic.
//!
//! ```
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
//! #[livedrop::unboxed] // or `#[async_trait]`, of the crate `async-trait`
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
//! // `with_async_drop` cleans up, however the body ends.
//! let parts = with_async_drop(Upload::start().await?, async |upload| {
//!     upload.send(b"one").await?;
//!     upload.send(b"two").await
//! })
//! .await?;
//!
//! // `scope!` does not compile unless the body cleans up.
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
//! # States
//!
//! The second type parameter of a guard is its state. It determines what happens if the cleanup is
//! forgotten or cancelled.
//!
//! | state | created by | if the cleanup is forgotten | if the owner is cancelled |
//! |---|---|---|---|
//! | [`Checked`], the default | [`AsyncDropGuard::new`] | panics | panics |
//! | [`Live`] | [`AsyncDropGuard::live`] | does not compile in [`scope!`], else panics | panics |
//! | [`Adopted`] | [`Reaper::adopt`], [`Reaper::acquire`] | a [`Reaper`] cleans up | the [`Reaper`] cleans up |
//! | `Live<_, Adopted>` | [`scope!`] of an [`Adopted`] guard | does not compile | the [`Reaper`] cleans up, once |
//! | [`Dropped`] | `async_drop` of a [`Live`] guard | – (it is the proof of a cleanup) | – |
//!
//! Start with [`Checked`]. Use [`Live`] with [`scope!`] if the compiler must reject a forgotten
//! cleanup, and [`Adopted`] if a task may be cancelled. An [`Adopted`] guard in a [`scope!`] has both
//! guarantees.
//!
//! # Which item for which need
//!
//! | you need | use |
//! |---|---|
//! | a body that cannot forget the cleanup | [`with_async_drop()`]; [`with_async_drop!`] for several guards |
//! | the results of the body and of the cleanup as a pair | [`bracket`] |
//! | a cleanup that the compiler checks | [`scope!`], with [`try_or_drop!`] in place of `?` |
//! | a function that requires the proof of a cleanup | [`ProofOf`] |
//! | a cleanup that runs even if its task is cancelled | [`Reaper`], [`ReaperHandle`] |
//! | both | [`Reaper::acquire`] and then [`scope!`]: see [strict](guide::strict) |
//! | to end a service with all its cleanups, before a deadline | `app::App`, or [`Reaper::shutdown`]: see [shutdown](guide::shutdown) |
//! | another ending, such as a commit in place of a rollback | [`AsyncDropGuard::async_drop_via`] |
//! | a guard for a type of another crate | [`with_cleanup`], which guards a [`Deferred`]; [`with_boxed_cleanup`] in a struct field |
//! | guards as fields of a struct | `#[derive(AsyncDrop)]` |
//! | an `AsyncDrop` that does not allocate | `#[livedrop::unboxed]` |
//! | to clean up a few guards concurrently | [`async_drop_all()`] |
//! | many guards of one type | [`AsyncDropHashMap`], [`AsyncDropVec`] |
//! | guards of several types, cleaned up in reverse order | [`AsyncDropStack`] |
//! | a guard or an error; two such results as one | [`AsyncDropResult`]; [`flatten_async_drop`] |
//! | several owners; a weak reference | [`AsyncDropArc`]; [`AsyncDropWeak`] |
//! | `&mut T` from several places | [`AsyncDropMutex`], `AsyncDropTokioMutex` |
//! | one future whose guard several callers share | [`AsyncDropShared`] |
//! | a background task in a guard | `task::spawn`; in an `app::App`, `AppHandle::spawn` |
//! | a child process in a guard | `process::spawn`, `process::spawn_group` |
//! | a file that is flushed and synced; a temporary directory; a file that is replaced at once | `fs::create`; `fs::tempdir`; `fs::replace` |
//! | to log forgotten guards, or to abort, instead of a panic | [`hook::set`] |
//! | to test that nothing is left, also after a panic or a cancellation | `testing::leaks`, `testing::at_every_poll`: see [testing](guide::testing) |
//!
//! Each container has the state of the guards in it.
//!
//! # Modules
//!
//! | module | content |
//! |---|---|
//! | [`guide`] | how to use the crate, page by page |
//! | [`collections`] | containers of guards |
//! | [`sync`] | shared guarded values: several owners, locks, shared futures |
//! | [`reaper`] | the futures and reports of a [`Reaper`] |
//! | [`scope`](mod@scope) | the types of a guard and a proof that belong to a [`scope!`] |
//! | [`state`] | the traits that bound a state, for generic code |
//! | [`deferred`], [`all`] | traits and result types of [`with_cleanup`] and [`async_drop_all()`] |
//! | [`hook`] | reports of forgotten guards, failed cleanups of orphans, and suppressed errors |
//! | `app` | an application with signals, a grace period, a deadline and an exit code, with the feature `app` |
//! | `task` | background tasks in guards, with the feature `tokio` |
//! | `process` | child processes in guards, with the feature `process` |
//! | `fs` | files and temporary directories in guards, with the feature `fs` |
//! | `testing` | tools for tests, with the feature `testing` |
//!
//! The guide has the pages [async drop in Rust](guide::async_drop_in_rust), [patterns](guide::patterns), [gotchas](guide::gotchas),
//! [helpers](guide::helpers), [strict](guide::strict) on scopes, [cancellation](guide::cancellation),
//! [shutdown](guide::shutdown), [testing](guide::testing), [migrating](guide::migrating), the
//! [FAQ](guide::faq), and the [misuses that do not compile](guide::compile_fail).
//!
//! # Features
//!
//! * `derive`, on by default: `#[derive(AsyncDrop)]` and `#[livedrop::unboxed]`.
//! * `tokio`: `AsyncDropTokioMutex`, the module `task`, and `AsyncRead` and `AsyncWrite` for guards.
//! * `process`: the module `process`, on tokio.
//! * `fs`: the module `fs`, on tokio, and `AsyncRead` and `AsyncWrite` for guards.
//! * `app`: the module `app`. It includes `tokio`.
//! * `tracing`: emits an event for every report of the hook.
//! * `testing`: the module `testing`, for `[dev-dependencies]`.
//! * `location`: keeps the creation site of every guard in release builds too, which costs one
//!   pointer per guard. Builds with `debug_assertions` always keep it.
//!
//! [`AsyncDropArc`]: sync::AsyncDropArc
//! [`AsyncDropHashMap`]: collections::AsyncDropHashMap
//! [`AsyncDropMutex`]: sync::AsyncDropMutex
//! [`AsyncDropResult`]: collections::AsyncDropResult
//! [`AsyncDropShared`]: sync::AsyncDropShared
//! [`AsyncDropStack`]: collections::AsyncDropStack
//! [`AsyncDropVec`]: collections::AsyncDropVec
//! [`AsyncDropWeak`]: sync::AsyncDropWeak
//! [`with_boxed_cleanup`]: AsyncDropGuard::with_boxed_cleanup
//! [`with_cleanup`]: AsyncDropGuard::with_cleanup

#![forbid(unsafe_code)]
// On docs.rs, an item that needs a feature names it.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod all;
#[cfg(feature = "app")]
pub mod app;
pub mod collections;
pub mod deferred;
#[cfg(feature = "fs")]
pub mod fs;
pub mod guide;
pub mod hook;
#[cfg(feature = "process")]
pub mod process;
pub mod reaper;
pub mod scope;
pub mod state;
pub mod sync;
#[cfg(feature = "tokio")]
pub mod task;
#[cfg(feature = "testing")]
pub mod testing;

mod async_drop;
mod derive;
mod errors;
mod flatten;
mod guard;
mod outcome;
mod panic;
mod shim;
mod type_name;
mod with;

pub use async_drop::AsyncDrop;
#[cfg(feature = "derive")]
pub use derive::{AsyncDrop, unboxed};
pub use errors::CleanupErrors;
pub use guard::AsyncDropGuard;
pub use outcome::{Outcome, ProofOf};
pub use state::{Adopted, Checked, Dropped, Live};

pub use all::async_drop_all;
pub use flatten::flatten_async_drop;
pub use scope::scope;
pub use with::{bracket, with_async_drop};

pub use deferred::Deferred;
pub use reaper::{Reaper, ReaperHandle};

/// Used by the macros and by the output of the derive. Not public API.
#[doc(hidden)]
pub mod __private {
    pub use futures::future::join;
    pub use std::boxed::Box;

    pub use crate::derive::{
        Cleanups, FieldToCleanUp, MarkedField, OwesCleanup, TakesFieldError, UnmarkedField,
        clean_field, clean_field_mapped,
    };
    pub use crate::guard::{CleanupResult, FromCleanupError, ThisCleanupCanFailWith};
    pub use crate::panic::catch;
    pub use crate::with::{clean_alone, clean_caught, lend, result_of, resume_after, type_name};
}
