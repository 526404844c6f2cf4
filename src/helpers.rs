//! Types that hold guarded values, or values that have no cleanup of their own.

mod arc;
mod deferred;
mod mutex;
mod shared;
mod stack;
#[cfg(feature = "testutils")]
mod sync_drop;
#[cfg(feature = "tokio")]
mod tokio_mutex;
mod weak;

pub use arc::AsyncDropArc;
pub use deferred::{CleanupFn, CleanupOutput, Deferred};
pub use mutex::{AsyncDropMutex, AsyncDropMutexGuard};
pub use shared::{AsyncDropShared, TaskPanicked};
pub use stack::{AsyncDropStack, ErasedError, Key};
#[cfg(feature = "testutils")]
pub use sync_drop::SyncDrop;
#[cfg(feature = "tokio")]
pub use tokio_mutex::{AsyncDropTokioMutex, AsyncDropTokioMutexGuard};
pub use weak::AsyncDropWeak;
