//! The guard: the type, and every function that is called on one.

use std::fmt::{self, Debug};
use std::future::{self, Pending};
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::task::{Context, Poll};

use futures::FutureExt;

use crate::deferred::{BoxedCleanup, CleanupFn, CleanupOutput};
use crate::reaper::Registration;
use crate::state::{
    Accepts, Armed, Backs, Brand, CleansBehindItsGuard, Holds, LocallyCleanable, State,
    StillOwesItsCleanup, UnscopedState,
};
use crate::{Adopted, AsyncDrop, Checked, Deferred, Dropped, Live, Outcome, type_name};

mod adopted;
mod checked;
mod cleanup;
mod forward;
mod live;
mod origin;
mod slot;
mod via;

pub use adopted::AdoptedSlot;
pub(crate) use checked::{CheckedSlot, Phase};
pub use cleanup::{Arms, CleanupResult, FromCleanupError, Owes, ThisCleanupCanFailWith};
pub(crate) use cleanup::{clean, clean_in_place, drop_after_panic};
pub use live::CleansByValue;
pub(crate) use live::LiveSlot;
pub(crate) use origin::Origin;
pub(crate) use slot::OwnedSlot;
pub use slot::Slot;
pub use via::EndsVia;

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
/// | `Live<Scoped<'_>, Adopted>` | [`scope`](crate::scope()) of an `Adopted` guard | `async_drop(self)`, which gives the proof, or the reaper | does not compile; if its owner is cancelled or panics, the reaper cleans up |
///
/// These functions are methods: `async_drop`, `async_drop_via`, `poll_async_drop`, `is_dropped` and
/// `cleanup_has_begun`. The other functions of the guard are associated functions, called as
/// `AsyncDropGuard::into_live(guard)`, so that they never hide a method of the value.
///
/// The guard forwards `Stream` and `Sink` of a value that is `Unpin`, and with the feature `tokio` or `fs`
/// `AsyncRead` and `AsyncWrite`. `poll_close` and `poll_shutdown` close the value's own stream; the guard
/// still owes its cleanup after that.
///
/// # What the types cannot see
///
/// `&mut *guard` gives the value itself. [`std::mem::replace`] and [`std::mem::swap`] can take
/// it out through that reference and leave another value to be cleaned up in its place;
/// [`std::mem::forget`], a reference cycle and a `static` can lose the whole guard. None of them cleans up.
/// A thread-local variable is dropped while its thread ends, and a panic there aborts the process. See
/// [gotchas](crate::guide::gotchas#what-neither-the-types-nor-the-run-time-see).
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
    /// `T` must implement [`AsyncDrop`], so that the compiler refuses a value without a cleanup here, and not
    /// where the guard is cleaned up.
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

    /// [`new`](Self::new) for an async constructor: it notes the origin when it is called, not when its
    /// future is polled.
    #[cfg(feature = "fs")]
    pub(crate) fn new_at(origin: Origin<T>, value: T) -> Self {
        Self { slot: CheckedSlot::new(origin, value, None) }
    }

    /// Makes a guard without a value, as if it was cleaned up. The original pattern leaves such a guard where
    /// it takes one out.
    #[doc(hidden)]
    #[deprecated(
        note = "clean up in place, through a reference, or put the guard into an `Option`: `Option` of a guard implements `AsyncDrop`"
    )]
    #[must_use = "it has no value"]
    #[track_caller]
    pub fn new_invalid() -> Self {
        Self { slot: CheckedSlot::Done { origin: Origin::here() } }
    }

    /// Cleans up the value, and drops it.
    ///
    /// Called again after it has completed, it does nothing and returns `Ok(())`.
    ///
    /// # Errors
    ///
    /// The error of the cleanup. The value is dropped in this case too.
    ///
    /// # Panics
    ///
    /// If the cleanup panics. The value is dropped in this case too. If the value panics in its own
    /// `Drop` after a cleanup that failed, the error goes to the [hook](crate::hook).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future is dropped before it is ready, the guard still holds the value and
    /// still owes the cleanup. Call it again; the cleanup then begins at its start, see
    /// [`AsyncDrop`](AsyncDrop#cancel-safety).
    #[must_use = "futures do nothing unless awaited: nothing is cleaned up until this is"]
    #[inline]
    pub fn async_drop(&mut self) -> impl Future<Output = Result<(), T::Error>> + use<'_, T> {
        clean(&mut self.slot)
    }

    /// Converts the guard to one that is checked at compile time.
    ///
    /// # Errors
    ///
    /// The proof, if the value was already cleaned up.
    pub fn into_live(guard: Self) -> Result<AsyncDropGuard<T, Live>, AsyncDropGuard<T, Dropped>> {
        match LiveSlot::from_owned(guard.slot) {
            Some(slot) => Ok(AsyncDropGuard { slot }),
            None => Err(AsyncDropGuard { slot: () }),
        }
    }

    /// Returns whether the cleanup has ended: with a result, or with a panic.
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

impl<T: AsyncDrop, B: Brand, K: Backs<T>> AsyncDropGuard<T, Live<B, K>> {
    /// Cleans up the value, drops it, and returns the proof.
    ///
    /// If the cleanup fails, the [`Outcome`] has the error beside the proof, because the cleanup was
    /// attempted.
    ///
    /// # Panics
    ///
    /// If the cleanup panics, or if the value panics in its own `Drop`. The value is dropped, and there
    /// is no proof. In the second case the error of the cleanup is lost; a `Checked` guard would pass it
    /// to the [hook](crate::hook). If both panic, the process aborts, as in any Rust program that panics
    /// while it unwinds; a `Checked` guard passes the second panic to the hook.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe without a reaper: the value is inside the future, and dropped with it. That is
    /// reported to the [hook](crate::hook), as cancelled if the cleanup had begun and as
    /// forgotten if the future was never polled. If that can happen, adopt the guard before its
    /// [`scope`](crate::scope()): the reaper then resumes the cleanup.
    #[must_use = "futures do nothing unless awaited: the value would be dropped without its cleanup"]
    #[inline]
    pub fn async_drop(self) -> impl Future<Output = Outcome<T, B>> {
        self.slot.clean_by_value()
    }
}

impl<T: AsyncDrop<Error: 'static>> AsyncDropGuard<T, Adopted> {
    /// Cleans up the value, and drops it.
    ///
    /// Called again after it has completed, it does nothing and returns `Ok(())`.
    ///
    /// # Errors
    ///
    /// The error of the cleanup. The value is dropped in this case too.
    ///
    /// # Panics
    ///
    /// If the cleanup panics. The value is dropped in this case too. If the value panics in its own
    /// `Drop` after a cleanup that failed, the error goes to the [hook](crate::hook).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a cleanup that has begun stays in the guard and is resumed where it was, by
    /// the next call or, once the guard is dropped, by the reaper.
    #[must_use = "futures do nothing unless awaited: the cleanup is left to the reaper until this is"]
    pub fn async_drop(&mut self) -> impl Future<Output = Result<(), T::Error>> + use<'_, T> {
        clean(&mut self.slot)
    }

    /// Polls the cleanup, for implementors of [`AsyncWrite::poll_shutdown`] and similar methods.
    ///
    /// The first call begins the cleanup. Each later call resumes it. If the cleanup has ended, the call
    /// is ready with `Ok(())`.
    ///
    /// A [`Checked`] guard has no such function. Its cleanup runs in the future of `async_drop`. A new
    /// future for each poll would begin the cleanup from its start each time, and never end.
    ///
    /// [`AsyncWrite::poll_shutdown`]: https://docs.rs/tokio/latest/tokio/io/trait.AsyncWrite.html#tymethod.poll_shutdown
    ///
    /// # Errors
    ///
    /// As [`async_drop`](Self::async_drop).
    ///
    /// # Panics
    ///
    /// As [`async_drop`](Self::async_drop).
    pub fn poll_async_drop(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        pin!(self.async_drop()).poll(cx)
    }

    /// Returns whether the cleanup has begun. After that, the value cannot be used. A helper such as
    /// [`AsyncDropArc`](crate::sync::AsyncDropArc) is an exception: it can be used if its cleanup was
    /// cancelled.
    pub fn cleanup_has_begun(&self) -> bool {
        self.slot.has_begun()
    }

    /// Returns whether the cleanup has ended: with a result, or with a panic.
    pub fn is_dropped(&self) -> bool {
        self.slot.is_done()
    }
}

/// Functions of guards in several states. Only `async_drop_via` takes guards of a scope.
impl<T, S: State> AsyncDropGuard<T, S> {
    /// Keeps the guard if `result` is `Ok`, and cleans it up if `result` is `Err`.
    ///
    /// It is for an async constructor: the steps between the creation of the guard and its return.
    ///
    /// # Errors
    ///
    /// The error of `result`. If the cleanup fails too, its error goes to the
    /// [hook](crate::hook) as [`Suppressed`](crate::hook::Unhandled::Suppressed).
    ///
    /// # Panics
    ///
    /// If the cleanup panics. The error of `result` is dropped then.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe for `Checked` and `Live` guards: the guard is lost with the future, and reported.
    /// An `Adopted` guard goes to its reaper. In any state, `result` is dropped with the future.
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
        S: UnscopedState + LocallyCleanable<T>,
    {
        async move {
            match result {
                Ok(value) => Ok((guard, value)),
                Err(error) => {
                    let mut owned = guard.slot.into_owned();
                    let cleanup = clean::<T, _>(&mut owned).await;
                    // Dropped unread: `error` is returned, so the hook gets the other one.
                    drop(CleanupResult::<T>::new(cleanup));
                    Err(error)
                }
            }
        }
    }

    /// Converts the guard to one that is checked at run time.
    pub fn into_checked(guard: Self) -> AsyncDropGuard<T>
    where
        S: Armed,
    {
        AsyncDropGuard { slot: guard.slot.into_owned() }
    }

    /// Takes the value out of its guard, which then owes no cleanup.
    ///
    /// It is for code that cleans up by other means. If such code awaits, prefer
    /// [`async_drop_via`](Self::async_drop_via). The reaper of an [`Adopted`] guard forgets the value.
    ///
    /// # Panics
    ///
    /// If the value was cleaned up before, or if the cleanup of an `Adopted` guard has begun.
    #[must_use = "the value is dropped without its cleanup otherwise"]
    #[track_caller]
    pub fn into_inner_without_cleanup(guard: Self) -> T
    where
        S: UnscopedState,
    {
        guard.into_value()
    }

    /// Replaces the value with the result of `map`. The guard then owes the cleanup of the new value.
    ///
    /// If `map` drops a part of the old value, that part gets no cleanup. If `map` panics, nothing is
    /// cleaned up. The reaper of an [`Adopted`] guard adopts the new value.
    ///
    /// # Panics
    ///
    /// If the value was cleaned up before, or if the cleanup of an `Adopted` guard has begun.
    #[track_caller]
    pub fn map_without_cleanup<U: AsyncDrop>(
        mut guard: Self,
        map: impl FnOnce(T) -> U,
    ) -> AsyncDropGuard<U, S>
    where
        S: UnscopedState + Accepts<U>,
    {
        let origin = Origin::here();
        // A guard whose cleanup has begun keeps its registration: its reaper resumes the cleanup.
        if guard.slot.get().is_none() {
            guard.slot.origin().panic_gone("tried to take out", S::Slot::<T>::GONE);
        }
        let registration = guard.slot.take_registration();
        let value = map(guard.into_value());
        let registration = registration.and_then(|registration| registration.of_new_value(origin));
        let owned = OwnedSlot::<U, S>::new(origin, value, registration);
        AsyncDropGuard { slot: S::Slot::from_owned(owned).expect(NEW) }
    }

    /// The name that the original pattern has for this.
    #[doc(hidden)]
    #[deprecated(note = "renamed: write `AsyncDropGuard::into_inner_without_cleanup(guard)`")]
    #[must_use = "the value is dropped without its cleanup otherwise"]
    #[track_caller]
    pub fn unsafe_into_inner_dont_drop(self) -> T
    where
        S: UnscopedState,
    {
        Self::into_inner_without_cleanup(self)
    }

    /// The name that the original pattern has for this.
    #[doc(hidden)]
    #[deprecated(note = "renamed: write `AsyncDropGuard::map_without_cleanup(guard, map)`")]
    #[track_caller]
    pub fn map_unsafe<U: AsyncDrop>(self, map: impl FnOnce(T) -> U) -> AsyncDropGuard<U, S>
    where
        S: UnscopedState + Accepts<U>,
    {
        Self::map_without_cleanup(self, map)
    }

    /// The name that the original pattern has for this.
    #[doc(hidden)]
    #[deprecated(note = "write `AsyncDropGuard::map_without_cleanup(guard, Box::new)`")]
    #[track_caller]
    pub fn into_box(self) -> AsyncDropGuard<Box<T>, S>
    where
        Box<T>: AsyncDrop,
        S: UnscopedState + Accepts<Box<T>>,
    {
        Self::map_without_cleanup(self, Box::new)
    }

    /// Ends the guard by other means than its [`AsyncDrop`]: a commit instead of a rollback, a close that
    /// takes the value by value, or one with arguments.
    ///
    /// `end` takes the value. The output of its future is returned beside the proof, in the shape that
    /// the body of a [`scope`](crate::scope()) returns. The value's own cleanup never runs, also if `end`
    /// fails.
    ///
    /// If a reaper backs the guard, the future of `end` must be `Send` and `'static`, because the reaper
    /// finishes it if the caller is cancelled.
    ///
    /// # Panics
    ///
    /// If the value was cleaned up before, or if the cleanup of an `Adopted` guard has begun. If `end` or its
    /// future panics; the value counts as cleaned up then.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before its first poll, `end` was not called. The guard is then forgotten,
    /// as any guard is: it reports that, or its reaper cleans up by its `AsyncDrop`. After the first poll:
    ///
    /// - A `Checked` guard, or a `Live` one without a reaper, is lost with the future of `end`, and
    ///   reported to the [hook](crate::hook) as cancelled.
    /// - An `Adopted` guard, or one that was adopted before its scope, is not lost: the reaper polls the
    ///   future of `end` to its end, and drops its output, also if that is an error. The value's own
    ///   cleanup never runs.
    /// - A helper around an adopted guard, such as an [`AsyncDropArc`](crate::sync::AsyncDropArc), drops
    ///   the future of `end`. The guard inside goes to its reaper.
    ///
    /// # Examples
    ///
    /// ```
    /// use livedrop::{AsyncDropGuard, scope, try_or_drop};
    /// # use std::io;
    /// # struct Transaction;
    /// # impl Transaction {
    /// #     async fn begin() -> AsyncDropGuard<Transaction, livedrop::Live> { AsyncDropGuard::live(Transaction) }
    /// #     async fn insert(&mut self, _: u32) -> io::Result<()> { Ok(()) }
    /// #     async fn commit(self) -> io::Result<()> { Ok(()) }
    /// # }
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for Transaction {
    /// #     type Error = io::Error;
    /// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) } // rolls back
    /// # }
    /// # futures::executor::block_on(async {
    /// scope!(Transaction::begin().await, async |mut tx| {
    ///     try_or_drop!(tx, tx.insert(1).await); // rolls back if this fails
    ///     tx.async_drop_via(Transaction::commit).await
    /// })
    /// .await?;
    /// # Ok::<(), io::Error>(())
    /// # }).unwrap();
    /// ```
    #[must_use = "futures do nothing unless awaited: the value would be dropped without its cleanup"]
    #[track_caller]
    pub fn async_drop_via<F, Fut>(
        self,
        end: F,
    ) -> impl Future<Output = (AsyncDropGuard<T, Dropped<S::Brand>>, Fut::Output)>
    where
        T: AsyncDrop,
        S: Holds,
        OwnedSlot<T, S>: EndsVia<T, Fut>,
        F: FnOnce(T) -> Fut,
        Fut: Future,
    {
        if self.slot.get().is_none() {
            self.slot.origin().panic_gone("used", S::Slot::<T>::GONE);
        }
        let slot = self.slot.into_owned();
        slot.end_via(end).map(|output| (AsyncDropGuard { slot: () }, output))
    }

    /// Always a compile error. It shadows the value's `async_drop_impl`, which would clean up the value
    /// while the guard still owes the cleanup.
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
    pub fn with_cleanup<F>(value: T, cleanup: F) -> AsyncDropGuard<Deferred<T, F>>
    where
        F: CleanupFn<T> + FnOnce(T) -> <F as CleanupFn<T>>::Future + Send,
    {
        AsyncDropGuard::new(Deferred::new(value, cleanup))
    }

    /// Guards a value like [`with_cleanup`](Self::with_cleanup). The type of the guard has a name, for
    /// example for a struct field.
    ///
    /// The closure is boxed, and so is its future. See [`BoxedCleanup`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use livedrop::deferred::BoxedCleanup;
    /// use livedrop::{AsyncDrop, AsyncDropGuard, Deferred};
    ///
    /// # struct Client;
    /// # impl Client { async fn close(self) -> io::Result<()> { Ok(()) } }
    /// #[derive(AsyncDrop)]
    /// struct Session {
    ///     client: AsyncDropGuard<Deferred<Client, BoxedCleanup<Client, io::Error>>>,
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let client = AsyncDropGuard::with_boxed_cleanup(Client, Client::close);
    /// let mut session = AsyncDropGuard::new(Session { client });
    /// session.async_drop().await?;
    /// # Ok::<(), io::Error>(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn with_boxed_cleanup<F, Fut, E>(
        value: T,
        cleanup: F,
    ) -> AsyncDropGuard<Deferred<T, BoxedCleanup<T, E>>>
    where
        F: FnOnce(T) -> Fut + Send + 'static,
        Fut: Future<Output: CleanupOutput<Error = E>> + Send + 'static,
        E: Debug,
    {
        AsyncDropGuard::new(Deferred::new(value, BoxedCleanup::new(cleanup)))
    }

    /// The same as [`with_cleanup`](Self::with_cleanup), with a guard that is
    /// [`Live`](Live).
    #[track_caller]
    pub fn live_with_cleanup<F>(value: T, cleanup: F) -> AsyncDropGuard<Deferred<T, F>, Live>
    where
        F: CleanupFn<T> + FnOnce(T) -> <F as CleanupFn<T>>::Future + Send,
    {
        AsyncDropGuard::live(Deferred::new(value, cleanup))
    }
}

impl<T, B: Brand> AsyncDropGuard<T, Dropped<B>> {
    /// Always a compile error, which says that nothing is left to clean up.
    #[doc(hidden)]
    pub fn async_drop(&self) -> Pending<Outcome<T, B>>
    where
        T: AsyncDrop,
        Dropped<B>: StillOwesItsCleanup,
    {
        future::pending()
    }
}

/// The value.
///
/// # Panics
///
/// If the value is gone: after the cleanup of a `Checked` guard, and once the cleanup of an `Adopted` one
/// has begun. The message names the type and the creation site. A `Live` guard without a reaper never
/// panics.
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
            None if self.slot.is_done() => write!(f, "<{}: cleaned up>", type_name::of::<T>()),
            None => write!(f, "<{}: cleanup has begun>", type_name::of::<T>()),
        }
    }
}

/// What the crate itself does with a guard.
impl<T, S: Holds> AsyncDropGuard<T, S> {
    /// A guard in the same state for a helper that owns `guard`.
    #[track_caller]
    pub(crate) fn wrap<U>(guard: Self, make: impl FnOnce(Self) -> U) -> AsyncDropGuard<U, S>
    where
        U: AsyncDrop,
        S: LocallyCleanable<U>,
    {
        let entry = guard.slot.entry().map(Registration::borrowed);
        AsyncDropGuard::wrapper(Origin::here(), make(guard), entry)
    }

    /// A guard for a helper that owns guards in this state. If there is one guard inside, `entry` is its entry
    /// with a reaper.
    pub(crate) fn wrapper(origin: Origin<T>, value: T, entry: Option<Registration>) -> Self
    where
        T: AsyncDrop,
        OwnedSlot<T, S>: Owes<T>,
    {
        let owned = OwnedSlot::<T, S>::wrapper(origin, value, entry);
        AsyncDropGuard { slot: S::Slot::from_owned(owned).expect(NEW) }
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

const NEW: &str = "a new slot owes its cleanup";
