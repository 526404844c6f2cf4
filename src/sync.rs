//! Sharing a guarded value: several owners, locks, one opening for all. It mirrors [`std::sync`].
//!
//! | you need | take |
//! |---|---|
//! | several owners; a reference that keeps nothing | [`AsyncDropArc`]; [`AsyncDropWeak`] |
//! | `&mut T` from several places | [`AsyncDropMutex`], `AsyncDropTokioMutex` |
//! | one opening for all who ask | [`AsyncDropShared`] |

mod arc;
mod mutex;
mod shared;
mod weak;

pub use arc::AsyncDropArc;
pub use mutex::{AsyncDropMutex, AsyncDropMutexGuard};
#[cfg(feature = "tokio")]
pub use mutex::{AsyncDropTokioMutex, AsyncDropTokioMutexGuard};
pub use shared::{AsyncDropShared, TaskPanicked};
pub use weak::AsyncDropWeak;
