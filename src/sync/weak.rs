//! `AsyncDropWeak`: a reference to a shared value that does not keep the value alive.

use std::fmt;

use super::AsyncDropArc;
use crate::shim::Weak;
use crate::state::{Cleanable, State};
use crate::{AsyncDrop, AsyncDropGuard, Checked};

/// A reference to the value of an [`AsyncDropArc`] that does not keep the value alive.
///
/// [`AsyncDropArc::downgrade`] makes it. It has no cleanup and no guard, so it can be dropped at
/// any time.
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
///     connection.async_drop().await?; // a handle like any other
///     sent?;
/// }
///
/// connection.async_drop().await?;
/// assert!(cached.upgrade().is_none());
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
#[must_use = "a weak reference does nothing until it is upgraded"]
pub struct AsyncDropWeak<T, S: State = Checked> {
    shared: Weak<AsyncDropGuard<T, S>>,
}

impl<T, S: State> AsyncDropWeak<T, S> {
    /// Makes a reference to no value: [`upgrade`](Self::upgrade) always returns `None`.
    pub fn new() -> Self {
        Self { shared: Weak::new() }
    }

    /// Makes another handle of the value, which must be cleaned up like any other.
    ///
    /// Returns `None` once the cleanup of the last handle has begun, even if it was cancelled, or
    /// once the value was taken out.
    #[must_use = "a handle that is dropped without its `async_drop` is reported as forgotten"]
    #[track_caller]
    pub fn upgrade(&self) -> Option<AsyncDropGuard<AsyncDropArc<T, S>, S>>
    where
        AsyncDropArc<T, S>: AsyncDrop,
        S: Cleanable<AsyncDropArc<T, S>>,
    {
        // Not `map`: a closure would report its own location as the creation site.
        let shared = self.shared.upgrade()?;
        Some(AsyncDropArc::handle(shared))
    }

    /// Returns the number of handles. Another thread may change it before the caller reads it.
    ///
    /// It is 0 once [`upgrade`](Self::upgrade) returns `None`.
    #[must_use]
    pub fn strong_count(&self) -> usize {
        self.shared.strong_count()
    }

    /// Returns whether both refer to the same value, or both to no value.
    #[must_use]
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
