//! The guard, and what all its states have in common. Each state has a file of its own.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::bomb::Origin;
use crate::{Armed, ArmsLike, AsyncDrop, Checked, Cleans, Holds, Lends, State, caught, type_name};

mod checked;
mod dropped;
mod live;

pub(crate) use checked::CheckedSlot;
pub(crate) use live::LiveSlot;
pub use live::Outcome;

/// Owns a value whose cleanup must be awaited.
///
/// The guard is a smart pointer: use the value through it. What happens if the cleanup is
/// forgotten depends on the state `S`:
///
/// | `S` | made by | cleaned up by | forgotten |
/// |---|---|---|---|
/// | [`Checked`] | [`new`](AsyncDropGuard::new) | `async_drop(&mut self)` | panics, naming the type and the creation site |
/// | [`Live`](crate::Live) | [`live`](AsyncDropGuard::live) | `async_drop(self)`, which gives the proof | does not compile inside [`scope`](crate::scope); panics elsewhere |
/// | [`Dropped`](crate::Dropped) | `async_drop` of a `Live` guard | nothing is left to do | – |
///
/// Apart from `async_drop` and `is_dropped`, the guard's own functions are associated
/// functions, called as `AsyncDropGuard::into_live(guard)`, so that they never hide a method of
/// the value.
///
/// # What the types cannot see
///
/// `&mut *guard` gives the value itself. [`std::mem::replace`] and [`std::mem::swap`] can take
/// it out through that reference and leave another value to be cleaned up in its place;
/// [`std::mem::forget`] and reference cycles can lose the whole guard. None of them cleans up.
///
/// # Panics
///
/// A guard that is dropped while it owes its cleanup reports that to the [`hook`](crate::hook),
/// which panics by default, unless the thread is panicking already. Panicking in a `Drop` has
/// limits: inside of `FuturesUnordered` or `join_all`, the panic can leak the neighbours that
/// were to be dropped next; an aborted tokio task ends as panicked, not as cancelled; a dropped
/// branch of a `select!` unwinds what polled it. With `panic = "abort"` nothing runs after it.
/// Where a panic is worse than a leak, use [`hook::log`](crate::hook::log).
///
/// # Examples
///
/// ```
/// # use async_trait::async_trait;
/// # use livedrop::{AsyncDrop, AsyncDropGuard};
/// # struct Connection;
/// # impl Connection { async fn send(&mut self, _: &str) {} }
/// # #[async_trait]
/// # impl AsyncDrop for Connection {
/// #     type Error = std::io::Error;
/// #     async fn async_drop_impl(&mut self) -> Result<(), Self::Error> { Ok(()) }
/// # }
/// # futures::executor::block_on(async {
/// let mut connection = AsyncDropGuard::new(Connection);
/// connection.send("hello").await;
/// connection.async_drop().await?;
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "a guard that is dropped before its `async_drop` was awaited loses the cleanup of its value, and panics"]
pub struct AsyncDropGuard<T, S: State = Checked> {
    pub(crate) slot: S::Slot<T>,
}

/// Functions of the guards that still owe their cleanup, and belong to no scope.
impl<T, S: State> AsyncDropGuard<T, S> {
    /// Keeps the guard if `result` is `Ok`, cleans it up if it is `Err`.
    ///
    /// For the steps between making a value and handing it out.
    ///
    /// # Errors
    ///
    /// The error of `result`. If the cleanup fails too, its error goes to the
    /// [hook](crate::hook) as [`Suppressed`](crate::hook::Unhandled::Suppressed).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the guard is lost with the future, and reported.
    ///
    /// # Examples
    ///
    /// ```
    /// # use async_trait::async_trait;
    /// # use livedrop::{AsyncDrop, AsyncDropGuard};
    /// # struct Connection;
    /// # impl Connection { async fn log_in(&mut self) -> Result<u32, String> { Err("no".into()) } }
    /// # #[async_trait]
    /// # impl AsyncDrop for Connection {
    /// #     type Error = std::io::Error;
    /// #     async fn async_drop_impl(&mut self) -> Result<(), Self::Error> { Ok(()) }
    /// # }
    /// async fn connect() -> Result<(AsyncDropGuard<Connection>, u32), String> {
    ///     let mut connection = AsyncDropGuard::new(Connection);
    ///     let session = connection.log_in().await;
    ///     AsyncDropGuard::async_drop_on_err(connection, session).await
    /// }
    /// # futures::executor::block_on(async { assert_eq!(connect().await.unwrap_err(), "no") });
    /// ```
    #[must_use = "futures do nothing unless awaited: the guard would be lost"]
    pub fn async_drop_on_err<R, E>(
        guard: Self,
        result: Result<R, E>,
    ) -> impl Future<Output = Result<(Self, R), E>>
    where
        T: AsyncDrop,
        S: Armed + Lends<T>,
    {
        async move {
            match result {
                Ok(value) => Ok((guard, value)),
                Err(error) => {
                    let mut owned = S::lend(guard.slot);
                    if let Err(suppressed) = S::Owned::clean(&mut owned).await {
                        caught::suppress::<T>(&suppressed);
                    }
                    Err(error)
                }
            }
        }
    }

    /// Takes the value out of its guard, and the obligation off the value.
    ///
    /// The way out for code that cleans up by other means. Nothing reminds anybody of the
    /// cleanup any more.
    ///
    /// # Panics
    ///
    /// If the value was cleaned up before, which only a [`Checked`] guard can be.
    #[doc(alias = "unsafe_into_inner_dont_drop")]
    #[must_use = "the value is dropped without its cleanup otherwise"]
    #[track_caller]
    pub fn into_inner_without_cleanup(guard: Self) -> T
    where
        S: Armed,
    {
        Self::unwrap(guard)
    }

    /// Makes another value of the guarded one, and guards that.
    ///
    /// `map` takes over the obligation: what it does not move into its result is dropped
    /// without cleanup, and so is everything if it panics.
    ///
    /// # Panics
    ///
    /// If the value was cleaned up before, which only a [`Checked`] guard can be.
    #[doc(alias = "map_unsafe")]
    #[track_caller]
    pub fn map_without_cleanup<U: AsyncDrop>(
        guard: Self,
        map: impl FnOnce(T) -> U,
    ) -> AsyncDropGuard<U, S>
    where
        S: Armed,
    {
        let origin = Origin::here();
        let value = map(Self::into_inner_without_cleanup(guard));
        AsyncDropGuard { slot: S::arm(origin, value) }
    }

    /// Not for use: it stands before the value's own method of this name, which would clean
    /// the value up behind its guard's back.
    #[doc(hidden)]
    pub fn async_drop_impl(&mut self)
    where
        S: CleansBehindItsGuard,
    {
    }

    /// See [`async_drop_impl`](Self::async_drop_impl).
    #[doc(hidden)]
    pub fn async_drop_unboxed(&mut self)
    where
        S: CleansBehindItsGuard,
    {
    }
}

/// No state is: the bound of methods that exist only to be refused in plain words.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this would clean the value up behind its guard's back, and the guard would do it again",
    label = "cleans up the value, not the guard",
    note = "clean up through the guard: `guard.async_drop().await`"
)]
pub trait CleansBehindItsGuard {}

/// The value. For a `Checked` guard:
///
/// # Panics
///
/// After the cleanup, naming the type and the creation site. A `Live` guard never panics.
impl<T, S: Holds> Deref for AsyncDropGuard<T, S> {
    type Target = T;

    #[inline]
    #[track_caller]
    fn deref(&self) -> &T {
        match S::value(&self.slot) {
            Ok(value) => value,
            Err(origin) => origin.gone("used"),
        }
    }
}

/// The value. Panics as [`Deref`] does.
impl<T, S: Holds> DerefMut for AsyncDropGuard<T, S> {
    #[inline]
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        match S::value_mut(&mut self.slot) {
            Ok(value) => value,
            Err(origin) => origin.gone("used"),
        }
    }
}

/// Shows the value, as `Box` and `Arc` do.
impl<T: fmt::Debug, S: Holds> fmt::Debug for AsyncDropGuard<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match S::value(&self.slot) {
            Ok(value) => value.fmt(f),
            Err(_) => write!(f, "<{}: cleaned up>", type_name::of::<T>()),
        }
    }
}

impl<T, S: Holds> AsyncDropGuard<T, S> {
    /// Makes something of the guard that owes, by a guard in the same state, what it owed.
    #[track_caller]
    pub(crate) fn wrap<U>(guard: Self, make: impl FnOnce(Self) -> U) -> AsyncDropGuard<U, S>
    where
        S: ArmsLike<U>,
    {
        let (model, origin) = (S::model(&guard.slot), Origin::here());
        AsyncDropGuard { slot: S::arm_like(model, origin, make(guard)) }
    }

    /// Takes the value out, and the obligation off it.
    ///
    /// # Panics
    ///
    /// If the value is gone.
    #[track_caller]
    pub(crate) fn unwrap(guard: Self) -> T {
        match S::into_value(guard.slot) {
            Ok(value) => value,
            Err(origin) => origin.gone("tried to take out"),
        }
    }
}

impl<T: AsyncDrop, S: Cleans<T>> AsyncDropGuard<T, S> {
    /// Ends a guard whose cleanup has ended.
    pub(crate) fn discard(guard: Self) {
        S::discard(guard.slot);
    }
}
