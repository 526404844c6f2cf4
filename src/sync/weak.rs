//! `AsyncDropWeak`: a reference to a shared value that does not keep it.

use std::fmt;

use super::AsyncDropArc;
use crate::shim::Weak;
use crate::state::{Cleanable, State};
use crate::{AsyncDrop, AsyncDropGuard, Checked};

/// A reference to the value of an [`AsyncDropArc`] that does not keep the value.
///
/// Made by [`AsyncDropArc::downgrade`]. It has no cleanup and stands in no guard: drop it
/// whenever you like.
///
/// # Examples
///
/// ```
/// # use async_trait::async_trait;
/// # use livedrop::sync::AsyncDropArc;
/// # use livedrop::{AsyncDrop, AsyncDropGuard};
/// # use std::io;
/// # struct Connection;
/// # impl Connection { async fn send(&self, _: &str) -> io::Result<()> { Ok(()) } }
/// # #[async_trait]
/// # impl AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn f() -> io::Result<()> {
/// let mut connection = AsyncDropArc::new(AsyncDropGuard::new(Connection));
/// let cached = AsyncDropArc::downgrade(&connection);
///
/// if let Some(mut connection) = cached.upgrade() {
///     let sent = connection.send("hello").await;
///     connection.async_drop().await?; // it is a handle like any other
///     sent?;
/// }
///
/// connection.async_drop().await?;
/// assert!(cached.upgrade().is_none());
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
#[must_use = "a reference that is dropped at once leads to no handle"]
pub struct AsyncDropWeak<T, S: State = Checked> {
    shared: Weak<AsyncDropGuard<T, S>>,
}

impl<T, S: State> AsyncDropWeak<T, S> {
    /// A reference to nothing: it never gives a handle.
    pub fn new() -> Self {
        Self { shared: Weak::new() }
    }

    /// Makes another handle of the value, which has to be cleaned up like any.
    ///
    /// `None` once the cleanup of the last handle has begun, even if it was cancelled then, or
    /// once the value was taken out.
    #[must_use = "a handle that is dropped before its `async_drop` was awaited is reported as forgotten"]
    #[track_caller]
    pub fn upgrade(&self) -> Option<AsyncDropGuard<AsyncDropArc<T, S>, S>>
    where
        AsyncDropArc<T, S>: AsyncDrop,
        S: Cleanable<AsyncDropArc<T, S>>,
    {
        // No `map`: the caller's place would be lost in it.
        let shared = self.shared.upgrade()?;
        Some(AsyncDropArc::handle(shared))
    }

    /// How many handles there are: a glimpse, since others may come and go meanwhile.
    ///
    /// 0 from when [`upgrade`](Self::upgrade) gives `None`.
    #[must_use = "to count the handles changes nothing"]
    pub fn strong_count(&self) -> usize {
        self.shared.strong_count()
    }

    /// Whether both refer to the same value, or both to nothing.
    #[must_use = "to compare references changes nothing"]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.shared.ptr_eq(&other.shared)
    }

    pub(super) fn from_shared(shared: Weak<AsyncDropGuard<T, S>>) -> Self {
        Self { shared }
    }
}

impl<T, S: State> Clone for AsyncDropWeak<T, S> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T, S: State> Default for AsyncDropWeak<T, S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, S: State> fmt::Debug for AsyncDropWeak<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(AsyncDropWeak)")
    }
}
