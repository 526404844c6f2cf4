//! Types that hold guarded values, or values that have no cleanup of their own.

mod arc;
mod deferred;
mod flatten;
mod guard_of;
mod hash_map;
mod mutex;
mod occupied_error;
mod result;
mod shared;
mod stack;
#[cfg(feature = "testutils")]
mod sync_drop;
#[cfg(feature = "tokio")]
mod tokio_mutex;
mod vec;
mod weak;

pub use arc::AsyncDropArc;
pub use deferred::{CleanupFn, CleanupOutput, Deferred};
pub use flatten::flatten_async_drop;
pub use guard_of::GuardOf;
pub use hash_map::AsyncDropHashMap;
pub use mutex::{AsyncDropMutex, AsyncDropMutexGuard};
pub use occupied_error::OccupiedError;
pub use result::AsyncDropResult;
pub use shared::{AsyncDropShared, TaskPanicked};
pub use stack::{AsyncDropStack, ErasedError, Key};
#[cfg(feature = "testutils")]
pub use sync_drop::SyncDrop;
#[cfg(feature = "tokio")]
pub use tokio_mutex::{AsyncDropTokioMutex, AsyncDropTokioMutexGuard};
pub use vec::AsyncDropVec;
pub use weak::AsyncDropWeak;
