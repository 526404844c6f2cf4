//! Async mutexes around a guarded value: `AsyncDropMutex`, and `AsyncDropTokioMutex`, which is
//! fair.

use std::fmt;
use std::ops::{Deref, DerefMut};

use async_trait::async_trait;

use crate::guard::{OwnedSlot, Slot, clean};
use crate::state::{Cleanable, Holds, State};
use crate::{AsyncDrop, AsyncDropGuard, Checked, type_name};

/// Defines a mutex and its guard on top of an async lock.
macro_rules! mutex {
    (
        $(#[$summary:meta])*
        $Mutex:ident, $MutexGuard:ident, $lock:ident,
        $(#[$about_the_lock:meta])*
        try_lock: $($ok:ident)?,
        lock_is_cancel_safe: $cancel_safety:literal,
        $(#[$on_the_async_drop_impl:meta])*
    ) => {
        $(#[$summary])*
        ///
        /// The mutex has a guard of its own, in the state `S` of the value's guard. The cleanup of
        /// the mutex cleans up the value in place. It needs the mutex for itself, so a program
        /// that holds the lock meanwhile does not compile.
        ///
        /// To share a mutex, put it into an [`AsyncDropArc`](crate::sync::AsyncDropArc).
        ///
        /// The lock gives access to `&mut T`, and never to the value's guard. So no task can clean
        /// up the value, or put another guard in its place, while other tasks wait to use it.
        ///
        $(#[$about_the_lock])*
        ///
        /// # Cancel safety
        ///
        /// The cleanup is cancel safe: after a cancellation, the mutex still holds the value and
        /// can be locked.
        ///
        /// # Errors
        ///
        /// The cleanup fails with the error of the value's cleanup.
        ///
        /// # Examples
        ///
        /// ```
        /// # use async_trait::async_trait;
        #[doc = concat!("# use livedrop::sync::{AsyncDropArc, ", stringify!($Mutex), "};")]
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
        /// let connection = AsyncDropGuard::new(Connection);
        #[doc = concat!("let mutex = ", stringify!($Mutex), "::new(connection);")]
        /// let mut first = AsyncDropArc::new(mutex);
        /// let mut second = AsyncDropArc::clone(&first);
        /// first.lock().await.send("hello").await?;
        /// first.async_drop().await?; // releases its reference
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
        #[doc = concat!("# use livedrop::sync::", stringify!($Mutex), ";")]
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
        #[doc = concat!("    let connection = ", stringify!($Mutex), "::new(connection);")]
        ///     let sent = connection.lock().await.send("hello").await;
        #[doc = concat!("    let connection = ", stringify!($Mutex), "::into_inner(connection);")]
        ///     connection.async_drop().await.after(sent)
        /// })
        /// .await
        /// # }
        /// # futures::executor::block_on(f()).unwrap();
        /// ```
        #[must_use = "dropping a mutex outside its guard skips the cleanup of its value"]
        pub struct $Mutex<T, S: State = Checked> {
            /// In its owned form: so the slot of a `Live` guard, too, records how far its cleanup
            /// has come.
            slot: $lock::Mutex<OwnedSlot<T, S>>,
        }

        impl<T, S: State> $Mutex<T, S> {
            /// Puts the value of `guard` into a mutex.
            ///
            /// If `guard` was cleaned up before, cleaning up the mutex has no effect.
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

            /// Locks the mutex. Waits while another task holds the lock.
            ///
            /// # Cancel safety
            ///
            #[doc = $cancel_safety]
            #[must_use = "futures do nothing unless awaited: the mutex is not locked until then"]
            pub fn lock(&self) -> impl Future<Output = $MutexGuard<'_, T, S>> {
                async { $MutexGuard { slot: self.slot.lock().await } }
            }

            /// Locks the mutex if it is free, or else returns `None`.
            pub fn try_lock(&self) -> Option<$MutexGuard<'_, T, S>> {
                self.slot.try_lock()$(.$ok())?.map(|slot| $MutexGuard { slot })
            }

            /// Returns the value without locking. `&mut self` guarantees that the mutex is free.
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

            /// Takes the guarded value out of the mutex.
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
        $(#[$on_the_async_drop_impl])*
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

        /// Shows the value, or `<locked>` if the mutex is locked.
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
            "A guard of a locked [`", stringify!($Mutex), "`]: gives access to the value, and ",
            "unlocks the mutex when it is dropped."
        )]
        ///
        /// # Panics
        ///
        /// [`Deref`] and [`DerefMut`] panic if the value was cleaned up before.
        #[must_use = "dropping this unlocks the mutex at once"]
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
    /// An async mutex around a guarded value. It works with any runtime.
    AsyncDropMutex, AsyncDropMutexGuard, futures_lock,
    /// The lock is a [`futures::lock::Mutex`]. It is not fair, and a panic does not poison it.
    /// Locking allocates nothing while the mutex is free; the list of waiters can allocate.
    try_lock: ,
    lock_is_cancel_safe: "Cancel safe: if the future is dropped before it is ready, the mutex is \
        not locked. Waiters are not served in order, so no place in a queue is lost.",
}

#[cfg(feature = "tokio")]
mod tokio_lock {
    pub(super) use tokio::sync::{Mutex, MutexGuard};
}

#[cfg(feature = "tokio")]
mutex! {
    /// A fair async mutex around a guarded value. It is tokio's, and works with any runtime.
    AsyncDropTokioMutex, AsyncDropTokioMutexGuard, tokio_lock,
    /// The lock is a [`tokio::sync::Mutex`]. It serves waiters in order, which
    /// [`AsyncDropMutex`](crate::sync::AsyncDropMutex) does not, and a panic does not poison it.
    /// Locking allocates nothing.
    try_lock: ok,
    lock_is_cancel_safe: "Cancel safe: if the future is dropped before it is ready, the mutex is \
        not locked. The waiter loses its place in the queue.",
    // Excluded from rustc's list of implementations, so that messages do not depend on features.
    #[diagnostic::do_not_recommend]
}
