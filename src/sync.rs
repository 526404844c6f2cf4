//! Shared guarded values: several owners, locks, shared futures. Mirrors [`std::sync`].
//!
//! | you need | use |
//! |---|---|
//! | several owners of one value | [`AsyncDropArc`] |
//! | a reference that does not keep the value alive | [`AsyncDropWeak`] |
//! | to wait until a shared value is cleaned up | [`AsyncDropWeak::gone`] |
//! | `&mut T` from several places | [`AsyncDropMutex`]; `AsyncDropTokioMutex`, which is fair |
//! | one future whose value several callers share | [`AsyncDropShared`] |

mod arc;
mod gone;
mod mutex;
mod shared;

pub use arc::{AsyncDropArc, AsyncDropWeak};
pub use gone::Gone;
pub(crate) use gone::Waiters;
pub use mutex::{AsyncDropMutex, AsyncDropMutexGuard};
#[cfg(feature = "tokio")]
pub use mutex::{AsyncDropTokioMutex, AsyncDropTokioMutexGuard};
pub use shared::{AsyncDropShared, TaskPanicked};
