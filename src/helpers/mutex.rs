//! `AsyncDropMutex`: a guarded value behind a lock, for any runtime.

use std::fmt;
use std::ops::{Deref, DerefMut};

use async_trait::async_trait;
use futures::lock::{Mutex, MutexGuard};

use crate::{ArmsLike, AsyncDrop, AsyncDropGuard, Checked, Cleans, Holds, State, type_name};

/// A guarded value behind a lock that is awaited. It needs no particular runtime.
///
/// The mutex stands in a guard of its own, in the state `S` of the value's guard. Cleaning it up
/// cleans up the value, in place; the compiler sees to it that nobody holds the lock then.
///
/// To share it, put it into an [`AsyncDropArc`](crate::AsyncDropArc).
///
/// The lock gives `&mut T` and never the value's guard: nobody can clean the value up, or put
/// another guard in its place, while others wait to use it.
///
/// The lock is [`futures::lock::Mutex`]: it is not fair, and it is not poisoned by a panic. A
/// lock that is free allocates nothing; a list of those who wait is kept where some do.
///
/// # Cancel safety
///
/// The cleanup is cancel safe: the mutex then still holds the value, and can be locked.
///
/// # Errors
///
/// The cleanup fails with the error of the value's.
///
/// # Examples
///
/// ```
/// # use async_trait::async_trait;
/// # use livedrop::{AsyncDrop, AsyncDropArc, AsyncDropGuard, AsyncDropMutex};
/// # use std::io;
/// # struct Connection;
/// # impl Connection { async fn send(&mut self, _: &str) -> io::Result<()> { Ok(()) } }
/// # #[async_trait]
/// # impl AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn f() -> io::Result<()> {
/// let mut first = AsyncDropArc::new(AsyncDropMutex::new(AsyncDropGuard::new(Connection)));
/// let mut second = AsyncDropArc::clone(&first);
/// first.lock().await.send("hello").await?;
/// first.async_drop().await?; // lets go
/// second.lock().await.send("bye").await?;
/// second.async_drop().await?; // closes the connection
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
///
/// Checked at compile time, in a [`scope`](crate::scope()):
///
/// ```
/// # use async_trait::async_trait;
/// # use livedrop::{AsyncDrop, AsyncDropGuard, AsyncDropMutex, scope};
/// # use std::io;
/// # struct Connection;
/// # impl Connection { async fn send(&mut self, _: &str) -> io::Result<()> { Ok(()) } }
/// # #[async_trait]
/// # impl AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn f() -> io::Result<()> {
/// scope!(AsyncDropGuard::live(Connection), async |connection| {
///     let connection = AsyncDropMutex::new(connection);
///     let sent = connection.lock().await.send("hello").await;
///     let connection = AsyncDropMutex::into_inner(connection);
///     connection.async_drop().await.after(sent)
/// })
/// .await
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
#[must_use = "a mutex outside of its guard reminds nobody of the cleanup of its value"]
pub struct AsyncDropMutex<T, S: State = Checked> {
    /// `None` once the cleanup has ended.
    held: Mutex<Option<AsyncDropGuard<T, S>>>,
}

impl<T, S: State> AsyncDropMutex<T, S> {
    /// Puts the value of `guard` behind a lock.
    ///
    /// A guard that was cleaned up before can be put there; cleaning the mutex up has no effect.
    #[track_caller]
    pub fn new(guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<Self, S>
    where
        T: AsyncDrop,
        S: Cleans<T> + ArmsLike<Self>,
    {
        AsyncDropGuard::wrap(guard, |guard| Self { held: Mutex::new(Some(guard)) })
    }

    /// Waits until nobody else holds the lock, and takes it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is locked if the future is dropped before it is ready. Those who
    /// wait are not served in turn, so that nothing is lost by it.
    #[must_use = "futures do nothing unless awaited: nothing is locked until this is"]
    pub fn lock(&self) -> impl Future<Output = AsyncDropMutexGuard<'_, T, S>> {
        async { AsyncDropMutexGuard { held: self.held.lock().await } }
    }

    /// Takes the lock if nobody holds it.
    pub fn try_lock(&self) -> Option<AsyncDropMutexGuard<'_, T, S>> {
        self.held.try_lock().map(|held| AsyncDropMutexGuard { held })
    }

    /// The value, without locking: nobody else can hold the lock.
    ///
    /// # Panics
    ///
    /// If the value was cleaned up before.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T
    where
        S: Holds,
    {
        match self.held.get_mut() {
            Some(guard) => guard,
            None => ended::<T>(),
        }
    }

    /// Takes the value out, in its guard.
    ///
    /// # Panics
    ///
    /// If the value was cleaned up before.
    #[track_caller]
    pub fn into_inner(guard: AsyncDropGuard<Self, S>) -> AsyncDropGuard<T, S>
    where
        S: Holds,
    {
        match AsyncDropGuard::unwrap(guard).held.into_inner() {
            Some(guard) => guard,
            None => ended::<T>(),
        }
    }
}

/// Cleans up the value.
#[async_trait]
impl<T: AsyncDrop, S: Cleans<T>> AsyncDrop for AsyncDropMutex<T, S> {
    type Error = T::Error;

    async fn async_drop_impl(&mut self) -> Result<(), T::Error> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
        S::clean_in_place(self.held.get_mut())
    }
}

/// Shows the value, or that the mutex is locked.
impl<T: fmt::Debug, S: Holds> fmt::Debug for AsyncDropMutex<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_tuple("AsyncDropMutex");
        match self.held.try_lock().as_deref() {
            Some(Some(guard)) => shown.field(guard),
            Some(None) => shown.field(&format_args!("<cleaned up>")),
            None => shown.field(&format_args!("<locked>")),
        };
        shown.finish()
    }
}

/// The lock of an [`AsyncDropMutex`], held: gives the value, and unlocks when it is dropped.
///
/// # Panics
///
/// [`Deref`] and [`DerefMut`] panic if the value was cleaned up before.
#[must_use = "the mutex is unlocked as soon as this is dropped"]
pub struct AsyncDropMutexGuard<'mutex, T, S: State = Checked> {
    held: MutexGuard<'mutex, Option<AsyncDropGuard<T, S>>>,
}

impl<T, S: Holds> Deref for AsyncDropMutexGuard<'_, T, S> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        match &*self.held {
            Some(guard) => guard,
            None => ended::<T>(),
        }
    }
}

impl<T, S: Holds> DerefMut for AsyncDropMutexGuard<'_, T, S> {
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        match &mut *self.held {
            Some(guard) => guard,
            None => ended::<T>(),
        }
    }
}

/// Shows the value.
impl<T: fmt::Debug, S: Holds> fmt::Debug for AsyncDropMutexGuard<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.held {
            Some(guard) => guard.fmt(f),
            None => write!(f, "<{}: cleaned up>", type_name::of::<T>()),
        }
    }
}

#[cold]
#[track_caller]
fn ended<T>() -> ! {
    panic!("used a mutex of {} after its cleanup", type_name::of::<T>())
}
