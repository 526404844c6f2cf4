//! A guarded value behind a lock: `AsyncDropMutex` for any runtime, and `AsyncDropTokioMutex`, which
//! is fair.

use std::fmt;
use std::ops::{Deref, DerefMut};

use async_trait::async_trait;

use crate::guard::{OwnedSlot, Slot, clean};
use crate::state::{Cleanable, Holds, State};
use crate::{AsyncDrop, AsyncDropGuard, Checked, type_name};

/// Defines a mutex and its guard on an asynchronous lock.
macro_rules! mutex {
    (
        $(#[$mutex_doc:meta])*
        $Mutex:ident, $MutexGuard:ident, $lock:ident,
        try_lock: $($ok:ident)?,
        lock_is_cancel_safe: $cancel_safety:literal,
        $(#[$hidden:meta])*
    ) => {
        $(#[$mutex_doc])*
        #[must_use = "a mutex outside its guard is dropped without the cleanup of its value"]
        pub struct $Mutex<T, S: State = Checked> {
            /// While the library owns it, also the slot of a `Live` guard knows how far its cleanup
            /// has come.
            slot: $lock::Mutex<OwnedSlot<T, S>>,
        }

        impl<T, S: State> $Mutex<T, S> {
            /// Puts the value of `guard` behind a lock.
            ///
            /// A guard that was cleaned up before can be put there; cleaning the mutex up has no
            /// effect.
            #[track_caller]
            pub fn new(guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<Self, S>
            where
                T: AsyncDrop,
                S: Cleanable<T> + Cleanable<Self>,
            {
                AsyncDropGuard::wrap(guard, |guard| Self {
                    slot: $lock::Mutex::new(guard.slot.into_owned()),
                })
            }

            /// Waits until nobody else holds the lock, and takes it.
            ///
            /// # Cancel safety
            ///
            #[doc = $cancel_safety]
            #[must_use = "futures do nothing unless awaited: nothing is locked until this is"]
            pub fn lock(&self) -> impl Future<Output = $MutexGuard<'_, T, S>> {
                async { $MutexGuard { slot: self.slot.lock().await } }
            }

            /// Takes the lock if nobody holds it.
            pub fn try_lock(&self) -> Option<$MutexGuard<'_, T, S>> {
                self.slot.try_lock()$(.$ok())?.map(|slot| $MutexGuard { slot })
            }

            /// Returns the value without locking: nobody else can hold the lock.
            ///
            /// # Panics
            ///
            /// If the value was cleaned up before.
            #[track_caller]
            pub fn get_mut(&mut self) -> &mut T
            where
                S: Holds,
            {
                let slot = self.slot.get_mut();
                let origin = slot.origin();
                match slot.get_mut() {
                    Some(value) => value,
                    None => origin.panic_gone("used", OwnedSlot::<T, S>::GONE),
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
                let slot = guard.into_value().slot.into_inner();
                let origin = slot.origin();
                match S::Slot::from_owned(slot) {
                    Some(slot) => AsyncDropGuard { slot },
                    None => origin.panic_gone("tried to take out", OwnedSlot::<T, S>::GONE),
                }
            }
        }

        /// Cleans up the value.
        $(#[$hidden])*
        #[async_trait]
        impl<T: AsyncDrop, S: Cleanable<T>> AsyncDrop for $Mutex<T, S> {
            type Error = T::Error;

            async fn async_drop_impl(&mut self) -> Result<(), T::Error> {
                self.async_drop_unboxed().await
            }

            fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
                clean(self.slot.get_mut())
            }
        }

        /// Shows the value, or that the mutex is locked.
        impl<T: fmt::Debug, S: Holds> fmt::Debug for $Mutex<T, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut shown = f.debug_tuple(stringify!($Mutex));
                match self.try_lock() {
                    Some(locked) => shown.field(&locked),
                    None => shown.field(&format_args!("<locked>")),
                };
                shown.finish()
            }
        }

        #[doc = concat!(
            "The lock of an [`", stringify!($Mutex), "`], held: gives the value, and unlocks when it ",
            "is dropped."
        )]
        ///
        /// # Panics
        ///
        /// [`Deref`] and [`DerefMut`] panic if the value was cleaned up before.
        #[must_use = "the mutex is unlocked as soon as this is dropped"]
        pub struct $MutexGuard<'mutex, T, S: State = Checked> {
            slot: $lock::MutexGuard<'mutex, OwnedSlot<T, S>>,
        }

        impl<T, S: Holds> Deref for $MutexGuard<'_, T, S> {
            type Target = T;

            #[track_caller]
            fn deref(&self) -> &T {
                match self.slot.get() {
                    Some(value) => value,
                    None => self.slot.origin().panic_gone("used", OwnedSlot::<T, S>::GONE),
                }
            }
        }

        impl<T, S: Holds> DerefMut for $MutexGuard<'_, T, S> {
            #[track_caller]
            fn deref_mut(&mut self) -> &mut T {
                let origin = self.slot.origin();
                match self.slot.get_mut() {
                    Some(value) => value,
                    None => origin.panic_gone("used", OwnedSlot::<T, S>::GONE),
                }
            }
        }

        /// Shows the value.
        impl<T: fmt::Debug, S: Holds> fmt::Debug for $MutexGuard<'_, T, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.slot.get() {
                    Some(value) => value.fmt(f),
                    None => write!(f, "<{}: cleaned up>", type_name::of::<T>()),
                }
            }
        }
    };
}

mod futures_lock {
    pub(super) use futures::lock::{Mutex, MutexGuard};
}

mutex! {
    /// A guarded value behind a lock that is awaited. It needs no particular runtime.
    ///
    /// The mutex stands in a guard of its own, in the state `S` of the value's guard. Cleaning it up
    /// cleans up the value, in place; the compiler sees to it that nobody holds the lock then.
    ///
    /// To share it, put it into an [`AsyncDropArc`](crate::sync::AsyncDropArc).
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
    /// # use livedrop::sync::{AsyncDropArc, AsyncDropMutex};
    /// # use livedrop::{AsyncDrop, AsyncDropGuard};
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
    /// # use livedrop::sync::AsyncDropMutex;
    /// # use livedrop::{AsyncDrop, AsyncDropGuard, scope};
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
    AsyncDropMutex, AsyncDropMutexGuard, futures_lock,
    try_lock: ,
    lock_is_cancel_safe: "Cancel safe: nothing is locked if the future is dropped before it is ready. \
        Those who wait are not served in turn, so no place is lost.",
}

#[cfg(feature = "tokio")]
mod tokio_lock {
    pub(super) use tokio::sync::{Mutex, MutexGuard};
}

#[cfg(feature = "tokio")]
mutex! {
    /// A guarded value behind tokio's lock, which is awaited. It works under any runtime.
    ///
    /// The mutex stands in a guard of its own, in the state `S` of the value's guard. Cleaning it up
    /// cleans up the value, in place; the compiler sees to it that nobody holds the lock then.
    ///
    /// To share it, put it into an [`AsyncDropArc`](crate::sync::AsyncDropArc).
    ///
    /// The lock gives `&mut T` and never the value's guard: nobody can clean the value up, or put
    /// another guard in its place, while others wait to use it.
    ///
    /// The lock is [`tokio::sync::Mutex`]: it serves those who wait in turn, which
    /// [`AsyncDropMutex`](crate::sync::AsyncDropMutex) does not, and it is not poisoned by a panic. Locking
    /// allocates nothing.
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
    /// # use livedrop::sync::{AsyncDropArc, AsyncDropTokioMutex};
    /// # use livedrop::{AsyncDrop, AsyncDropGuard};
    /// # use std::io;
    /// # struct Connection;
    /// # impl Connection { async fn send(&mut self, _: &str) -> io::Result<()> { Ok(()) } }
    /// # #[async_trait]
    /// # impl AsyncDrop for Connection {
    /// #     type Error = io::Error;
    /// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
    /// # }
    /// # async fn f() -> io::Result<()> {
    /// let mut first = AsyncDropArc::new(AsyncDropTokioMutex::new(AsyncDropGuard::new(Connection)));
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
    /// # use livedrop::sync::AsyncDropTokioMutex;
    /// # use livedrop::{AsyncDrop, AsyncDropGuard, scope};
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
    ///     let connection = AsyncDropTokioMutex::new(connection);
    ///     let sent = connection.lock().await.send("hello").await;
    ///     let connection = AsyncDropTokioMutex::into_inner(connection);
    ///     connection.async_drop().await.after(sent)
    /// })
    /// .await
    /// # }
    /// # futures::executor::block_on(f()).unwrap();
    /// ```
    AsyncDropTokioMutex, AsyncDropTokioMutexGuard, tokio_lock,
    try_lock: ok,
    lock_is_cancel_safe: "Cancel safe: nothing is locked if the future is dropped before it is ready. \
        Its place among those who wait is lost.",
    // Not in the compiler's list of implementations, which is then the same with all features.
    #[diagnostic::do_not_recommend]
}
