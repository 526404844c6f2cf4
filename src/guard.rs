//! The guard: the type, and every function that is called on one.

use std::fmt;
use std::future::{self, Pending};
use std::ops::{Deref, DerefMut};

use crate::deferred::CleanupFn;
use crate::reaper::{Adoptable, Registration};
use crate::state::{
    Armed, Brand, Cleanable, CleansBehindItsGuard, Holds, State, StillOwesItsCleanup, UnscopedState,
};
use crate::{Adopted, AsyncDrop, Checked, Deferred, Dropped, Live, Outcome, type_name};

mod adopted;
mod bomb;
mod checked;
mod cleanup;
mod live;
mod slot;

pub(crate) use adopted::AdoptedSlot;
pub(crate) use bomb::{Origin, Phase};
pub(crate) use checked::CheckedSlot;
pub use cleanup::{CannotHappen, CleanupResult, FromCleanupError, Owes};
pub(crate) use cleanup::{clean, clean_in_place};
pub(crate) use live::LiveSlot;
pub(crate) use slot::OwnedSlot;
pub use slot::Slot;

/// Owns a value whose cleanup must be awaited.
///
/// The guard is a smart pointer: use the value through it. What happens if the cleanup is
/// forgotten depends on the state `S`:
///
/// | `S` | made by | cleaned up by | forgotten |
/// |---|---|---|---|
/// | [`Checked`] | [`new`](AsyncDropGuard::new) | `async_drop(&mut self)` | panics, naming the type and the creation site |
/// | [`Live`](crate::Live) | [`live`](AsyncDropGuard::live) | `async_drop(self)`, which gives the proof | does not compile inside [`scope`](crate::scope()); panics elsewhere |
/// | [`Dropped`](crate::Dropped) | `async_drop` of a `Live` guard | nothing is left to do | – |
/// | [`Adopted`](crate::Adopted) | [`Reaper::adopt`](crate::Reaper::adopt) | `async_drop(&mut self)`, or the reaper | the reaper cleans up |
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
#[must_use = "a `Checked` or `Live` guard that is dropped before its `async_drop` was awaited loses the cleanup of its value, and panics"]
pub struct AsyncDropGuard<T, S: State = Checked> {
    pub(crate) slot: S::Slot<T>,
}

impl<T: AsyncDrop> AsyncDropGuard<T, Checked> {
    /// Guards `value`, checked at run time.
    ///
    /// # Examples
    ///
    /// ```
    /// # use livedrop::AsyncDropGuard;
    /// # use std::convert::Infallible;
    /// # struct Job;
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for Job {
    /// #     type Error = Infallible;
    /// #     async fn async_drop_impl(&mut self) -> Result<(), Infallible> { Ok(()) }
    /// # }
    /// # futures::executor::block_on(async {
    /// let mut job = AsyncDropGuard::new(Job);
    /// job.async_drop().await?;
    /// assert!(job.is_dropped());
    /// # Ok::<(), Infallible>(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self { slot: CheckedSlot::new(Origin::here(), value, None) }
    }

    /// Cleans the value up, and drops it.
    ///
    /// Called again after it has completed, it does nothing and returns `Ok(())`.
    ///
    /// # Errors
    ///
    /// The error of the cleanup. It counts as attempted: the value is dropped all the same.
    ///
    /// # Panics
    ///
    /// If the cleanup panics. It counts as attempted then, too. If the value panics in its own
    /// `Drop` behind a cleanup that failed, the error goes to the [hook](crate::hook).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future is dropped before it is ready, the guard still holds the
    /// value and is still armed. Call it again; the cleanup then begins at its start, see
    /// [`AsyncDrop`](AsyncDrop#cancel-safety).
    #[must_use = "futures do nothing unless awaited: nothing is cleaned up until this is"]
    #[inline]
    pub fn async_drop(&mut self) -> impl Future<Output = Result<(), T::Error>> + use<'_, T> {
        clean(&mut self.slot)
    }

    /// Leaves the checking to the compiler from here on.
    ///
    /// # Errors
    ///
    /// If the value was cleaned up before, the proof of that comes back.
    pub fn into_live(guard: Self) -> Result<AsyncDropGuard<T, Live>, AsyncDropGuard<T, Dropped>> {
        match LiveSlot::from_owned(guard.slot) {
            Some(slot) => Ok(AsyncDropGuard { slot }),
            None => Err(AsyncDropGuard { slot: () }),
        }
    }

    /// Whether the cleanup has ended: with a result, or with a panic.
    pub fn is_dropped(&self) -> bool {
        self.slot.is_done()
    }
}

impl<T: AsyncDrop> AsyncDropGuard<T, Live> {
    /// Guards `value`, checked at compile time.
    ///
    /// # Examples
    ///
    /// ```
    /// # use livedrop::{AsyncDropGuard, Dropped};
    /// # use std::convert::Infallible;
    /// # struct Job;
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for Job {
    /// #     type Error = Infallible;
    /// #     async fn async_drop_impl(&mut self) -> Result<(), Infallible> { Ok(()) }
    /// # }
    /// # futures::executor::block_on(async {
    /// let job = AsyncDropGuard::live(Job);
    /// let outcome = job.async_drop().await;
    /// let proof: AsyncDropGuard<Job, Dropped> = outcome.proof;
    /// # });
    /// ```
    #[track_caller]
    pub fn live(value: T) -> Self {
        Self { slot: LiveSlot::new(Origin::here(), value) }
    }
}

impl<T: AsyncDrop, B: Brand> AsyncDropGuard<T, Live<B>> {
    /// Cleans the value up, drops it, and gives the proof.
    ///
    /// The proof is there on failure, too: the cleanup was attempted, and nothing is left to
    /// do. The error stands beside it, in the [`Outcome`].
    ///
    /// # Panics
    ///
    /// If the cleanup panics. The value is dropped then, and there is no proof. The same if the
    /// value panics in its own `Drop` behind the cleanup; then the error of the cleanup is lost, too,
    /// which a `Checked` guard would leave to the [hook](crate::hook).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the value is inside of the future, and dropped with it. That is
    /// reported to the [hook](crate::hook), as cancelled if the cleanup had begun and as
    /// forgotten if the future was never polled. Hold a `Checked` guard where that can
    /// happen.
    #[must_use = "futures do nothing unless awaited: the value would be dropped without its cleanup"]
    #[inline]
    pub fn async_drop(self) -> impl Future<Output = Outcome<T, B>> {
        self.slot.async_drop()
    }
}

impl<T: Adoptable> AsyncDropGuard<T, Adopted> {
    /// Cleans the value up, and drops it.
    ///
    /// Called again after it has completed, it does nothing and returns `Ok(())`.
    ///
    /// # Errors
    ///
    /// The error of the cleanup. It counts as attempted: the value is dropped all the same.
    ///
    /// # Panics
    ///
    /// If the cleanup panics. It counts as attempted then, too. If the value panics in its own
    /// `Drop` behind a cleanup that failed, the error goes to the [hook](crate::hook).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a cleanup that has begun stays in the guard and is resumed where it was, by
    /// the next call or, once the guard is dropped, by the reaper.
    #[must_use = "futures do nothing unless awaited: the cleanup is left to the reaper until this is"]
    pub fn async_drop(&mut self) -> impl Future<Output = Result<(), T::Error>> + use<'_, T> {
        clean(&mut self.slot)
    }

    /// Whether the cleanup has ended: with a result, or with a panic.
    pub fn is_dropped(&self) -> bool {
        self.slot.is_done()
    }
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
    /// # futures::executor::block_on(async { assert_eq!(connect().await.err().unwrap(), "no") });
    /// ```
    #[must_use = "futures do nothing unless awaited: the guard would be lost"]
    pub fn async_drop_on_err<R, E>(
        guard: Self,
        result: Result<R, E>,
    ) -> impl Future<Output = Result<(Self, R), E>>
    where
        T: AsyncDrop,
        S: Armed + UnscopedState<T>,
    {
        async move {
            match result {
                Ok(value) => Ok((guard, value)),
                Err(error) => {
                    let mut owned = guard.slot.into_owned();
                    let cleanup = clean::<T, _>(&mut owned).await;
                    // Dropped unread: `error` is returned, so the hook gets the other one.
                    drop(CleanupResult::<T>::new(Ok(cleanup)));
                    Err(error)
                }
            }
        }
    }

    /// Leaves the checking to the run time from here on.
    pub fn into_checked(guard: Self) -> AsyncDropGuard<T>
    where
        S: Armed,
    {
        AsyncDropGuard { slot: guard.slot.into_owned() }
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
        guard.into_value()
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
        AsyncDropGuard::owing(origin, map(guard.into_value()), None)
    }

    /// Not for use: it stands before the value's own method of this name, which would clean
    /// the value up behind its guard's back.
    #[doc(hidden)]
    pub fn async_drop_impl(&mut self) -> Pending<Result<(), T::Error>>
    where
        T: AsyncDrop,
        S: CleansBehindItsGuard,
    {
        future::pending()
    }

    /// See [`async_drop_impl`](Self::async_drop_impl).
    #[doc(hidden)]
    pub fn async_drop_unboxed(&mut self) -> Pending<Result<(), T::Error>>
    where
        T: AsyncDrop,
        S: CleansBehindItsGuard,
    {
        future::pending()
    }
}

impl<T: Send> AsyncDropGuard<T, Checked> {
    /// Guards a value of a type that has no [`AsyncDrop`] of its own, such as one of a foreign
    /// crate.
    ///
    /// `cleanup` takes the value, so that by-value closes fit, and its future returns `()` or a
    /// `Result<(), E>`. See [`Deferred`].
    ///
    /// # Examples
    ///
    /// ```
    /// use livedrop::AsyncDropGuard;
    ///
    /// # struct Pool;
    /// # impl Pool { async fn close(self) {} fn size(&self) -> u32 { 3 } }
    /// # futures::executor::block_on(async {
    /// let mut pool = AsyncDropGuard::with_cleanup(Pool, |pool| async move { pool.close().await });
    /// assert_eq!(pool.size(), 3);
    /// pool.async_drop().await?;
    /// # Ok::<(), std::convert::Infallible>(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn with_cleanup<F: CleanupFn<T> + Send>(
        value: T,
        cleanup: F,
    ) -> AsyncDropGuard<Deferred<T, F>> {
        AsyncDropGuard::new(Deferred::new(value, cleanup))
    }

    /// The same as [`with_cleanup`](Self::with_cleanup), with a guard that is
    /// [`Live`](Live).
    #[track_caller]
    pub fn live_with_cleanup<F: CleanupFn<T> + Send>(
        value: T,
        cleanup: F,
    ) -> AsyncDropGuard<Deferred<T, F>, Live> {
        AsyncDropGuard::live(Deferred::new(value, cleanup))
    }
}

impl<T, B: Brand> AsyncDropGuard<T, Dropped<B>> {
    /// Not for use: it explains that there is nothing left to clean up.
    #[doc(hidden)]
    pub fn async_drop(&self) -> Pending<Outcome<T, B>>
    where
        T: AsyncDrop,
        Dropped<B>: StillOwesItsCleanup,
    {
        future::pending()
    }
}

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
        match self.slot.get() {
            Some(value) => value,
            None => self.slot.origin().panic_gone("used", S::Slot::<T>::GONE),
        }
    }
}

/// The value. Panics as [`Deref`] does.
impl<T, S: Holds> DerefMut for AsyncDropGuard<T, S> {
    #[inline]
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        let origin = self.slot.origin();
        match self.slot.get_mut() {
            Some(value) => value,
            None => origin.panic_gone("used", S::Slot::<T>::GONE),
        }
    }
}

/// Shows the value, as `Box` and `Arc` do.
impl<T: fmt::Debug, S: Holds> fmt::Debug for AsyncDropGuard<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slot.get() {
            Some(value) => value.fmt(f),
            None => write!(f, "<{}: cleaned up>", type_name::of::<T>()),
        }
    }
}

/// What the crate itself does with a guard.
impl<T, S: Holds> AsyncDropGuard<T, S> {
    /// A guard in the same state around a value that owns `guard`. If `guard` is adopted, the new one
    /// is registered with the same reaper.
    #[track_caller]
    pub(crate) fn wrap<U>(guard: Self, make: impl FnOnce(Self) -> U) -> AsyncDropGuard<U, S>
    where
        U: AsyncDrop,
        S: Cleanable<U>,
    {
        let origin = Origin::here();
        let registration = guard.slot.registration().and_then(|own| own.register_wrapper(origin));
        AsyncDropGuard::owing(origin, make(guard), registration)
    }

    /// A guard that owes the cleanup of `value`.
    pub(crate) fn owing(origin: Origin<T>, value: T, registration: Option<Registration>) -> Self
    where
        T: AsyncDrop,
        OwnedSlot<T, S>: Owes<T>,
    {
        let owned = OwnedSlot::<T, S>::new(origin, value, registration);
        AsyncDropGuard { slot: S::Slot::from_owned(owned).expect("a new slot owes its cleanup") }
    }

    /// Takes the value out, and its obligation off it.
    ///
    /// # Panics
    ///
    /// If the value is gone.
    #[track_caller]
    pub(crate) fn into_value(self) -> T {
        match self.slot.take() {
            Ok((_, value)) => value,
            Err(origin) => origin.panic_gone("tried to take out", S::Slot::<T>::GONE),
        }
    }
}
