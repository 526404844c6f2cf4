//! Types that hold guarded values, or values that have no cleanup of their own.

mod arc;
mod deferred;
mod mutex;
#[cfg(feature = "tokio")]
mod tokio_mutex;
mod weak;

pub use arc::AsyncDropArc;
pub use deferred::{CleanupFn, CleanupOutput, Deferred};
pub use mutex::{AsyncDropMutex, AsyncDropMutexGuard};
#[cfg(feature = "tokio")]
pub use tokio_mutex::{AsyncDropTokioMutex, AsyncDropTokioMutexGuard};
pub use weak::AsyncDropWeak;
