//! The reaper: it cleans up an adopted guard if the owner does not, and every cleanup runs once.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;

use crate::guard::Origin;
use crate::state::Armed;
use crate::{Adopted, AsyncDrop, AsyncDropGuard};

mod acquire;
mod driver;
mod ending;
mod entry;
mod handle;
mod orphan;
mod registry;
mod report;
mod shield;
mod shutdown;
mod slab;
mod task;

pub use acquire::{Abandoned, Acquire, TryAcquire, TryAcquireError};
pub use driver::{Drain, Run};
pub(crate) use entry::Registration;
pub use handle::ReaperHandle;
pub use orphan::Failure;
pub(crate) use orphan::{Cleanup, finish, start};
pub use report::{Pending, Report, Stage};
pub use shield::Shield;
pub use shutdown::Shutdown;
pub use task::CleanupTask;

use registry::{Inner, Registry};

/// A value whose guard can be [adopted](crate::Reaper::adopt): it is `'static` and [`Send`],
/// and the error of its cleanup is [`Send`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be adopted by a reaper",
    label = "the reaper may keep this value longer than its owner, on another thread",
    note = "it must implement `AsyncDrop` with an `Error` that is `Send`, and be `Send` and `'static` itself: give it owned data, or clean up its guard without a reaper"
)]
pub trait Adoptable: AsyncDrop<Error: Send> + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: AsyncDrop<Error: Send> + Send + 'static> Adoptable for T {}

/// Finishes the cleanup of adopted guards whose owners were cancelled, panicked or forgot it.
///
/// [`adopt`](Reaper::adopt) turns a guard into an [`Adopted`] one. Its owner uses the value and
/// cleans it up as before. If the owner drops the guard without that, at any `.await` of the body
/// or of the cleanup itself, the reaper gets the value as an *orphan*. A cleanup is begun once and
/// ends once: if the owner was cancelled in the middle of it, the reaper resumes it and never
/// restarts it.
///
/// The reaper has no runtime and no thread. Spawn [`run`](Reaper::run) on the runtime that the cleanups
/// need: it polls the cleanups of orphans. [`drain`](Reaper::drain), for the end of the program, waits for
/// all of them. It polls them itself only if there is no `run`.
///
/// Orphans are cleaned up concurrently and in no order. If one value must be cleaned up before another,
/// adopt both by an [`ordered`](ReaperHandle::ordered) handle.
///
/// If the cleanup of an orphan fails, nobody awaits it. The reaper tells the [`hook`](crate::hook) at once,
/// and keeps the failure for the next [`Report`].
///
/// The reaper itself is a guarded value: [`Reaper::new`] returns a guard. Its `async_drop` closes
/// the reaper and drains it, and fails with the [`Report`] if the cleanup of an orphan failed.
/// [`shutdown`](Reaper::shutdown) does that with a deadline; the guide's page on
/// [shutdown](crate::guide::shutdown) shows how a service ends.
/// If a function holds an adopted guard while it awaits `drain` or `async_drop`, it waits forever.
/// The same is true of a struct that owns a reaper and guards that the reaper has adopted: clean up or drop
/// those guards first. [`pending`](ReaperHandle::pending) lists the values that these two wait for.
///
/// It dereferences to a [`ReaperHandle`], so all its methods work on a reaper, too.
///
/// # Cancel safety
///
/// Cleaning up the reaper is cancel safe: call `async_drop` again, and it continues to wait.
///
/// # Panics
///
/// A forgotten reaper panics as any guard does. If no [`run`](Reaper::run) is left to clean up the
/// remaining orphans, the reaper also reports each of them to the [`hook`](crate::hook).
///
/// # Examples
///
/// ```
/// use livedrop::{AsyncDropGuard, Reaper};
/// # use std::io;
/// # struct Connection;
/// # impl Connection { async fn open() -> io::Result<AsyncDropGuard<Connection>> { Ok(AsyncDropGuard::new(Connection)) } }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # futures::executor::block_on(async {
/// let mut reaper = Reaper::new();
/// // On a runtime: `tokio::spawn(reaper.run());`
///
/// let adopted = reaper.adopt(Connection::open().await?);
/// let acquired = reaper.acquire(Connection::open()).await?;
/// drop(adopted); // a `?`, a panic or an aborted task drops it in the same way
/// drop(acquired);
///
/// let report = reaper.drain().await;
/// assert_eq!(report.cleaned, 2);
/// reaper.async_drop().await.expect("no cleanup failed");
/// # Ok::<(), io::Error>(())
/// # }).unwrap();
/// ```
pub struct Reaper {
    handle: ReaperHandle,
}

impl Reaper {
    /// Creates a reaper without adopted values, in its guard.
    #[track_caller]
    pub fn new() -> AsyncDropGuard<Reaper> {
        Self::with_origin(Origin::here())
    }

    pub(crate) fn with_origin(origin: Origin<Reaper>) -> AsyncDropGuard<Reaper> {
        let registry = Arc::<Registry>::default();
        AsyncDropGuard::wrapper(origin, Reaper { handle: ReaperHandle::new(registry) }, None)
    }

    /// Returns a handle, which adopts for this reaper from any task.
    ///
    /// It is cheap to clone, `Send`, `Sync` and `'static`.
    #[must_use = "this returns a handle and adopts nothing"]
    pub fn handle(&self) -> ReaperHandle {
        self.handle.clone()
    }

    /// Adopts the guard; see [`ReaperHandle::adopt`].
    pub fn adopt<T, S: Armed>(&self, guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<T, Adopted>
    where
        T: Adoptable + 'static, // the reaper may outlive this borrow: own the data (`Arc<Mutex<_>>`), or clean up here
    {
        self.handle.adopt(guard)
    }

    /// Awaits `open`, and adopts its guard; see [`ReaperHandle::acquire`].
    #[track_caller]
    pub fn acquire<T, S, E, F>(&self, open: F) -> Acquire<T, S, E, F>
    where
        T: Adoptable,
        S: Armed,
        F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
    {
        self.handle.acquire(open)
    }

    /// Cleans up orphans as they come. Spawn it on the runtime that the cleanups need.
    ///
    /// The future ends when nothing is adopted and nothing can be adopted any more: the reaper is
    /// [closed](Reaper::close), or it and all its handles are gone. Each of these futures may be dropped at
    /// any time: the others and `drain` continue its work.
    ///
    /// Several may exist at a time, and then clean up in parallel. One poll of this future polls at most 64
    /// orphans, and then lets other tasks run. A cleanup that blocks its thread delays the other orphans of
    /// that poll; use [`run_with`](Reaper::run_with) for those.
    ///
    /// A `Run` must be polled. While one exists, from this call to its drop, no `drain` polls any cleanup.
    /// So a `Run` that is bound to a variable and never polled keeps every `drain` waiting.
    ///
    /// With the feature `tokio`, this future yields by `tokio::task::yield_now`. It makes no progress inside
    /// the `block_on` of another executor that blocks a task of tokio.
    pub fn run(&self) -> Run {
        Run::new(self.registry(), None)
    }

    /// As [`run`](Reaper::run), but gives each cleanup to `spawn`, which spawns a task for it.
    ///
    /// So cleanups run in parallel, and one that blocks its thread does not delay the others. If a spawned
    /// task is dropped before it has ended, the drivers finish the cleanup: the returned future, the other
    /// runs, or `drain`. It is not spawned again.
    ///
    /// # Panics
    ///
    /// The returned future panics if `spawn` panics, and has ended then.
    ///
    /// # Examples
    ///
    /// ```
    /// # use livedrop::{AsyncDropGuard, Reaper};
    /// # #[tokio::main]
    /// # async fn main() {
    /// let mut reaper = Reaper::new();
    /// tokio::spawn(reaper.run_with(|cleanup| {
    ///     tokio::spawn(cleanup);
    /// }));
    /// # let orphan = AsyncDropGuard::with_cleanup((), |()| async { tokio::task::yield_now().await });
    /// # drop(reaper.adopt(orphan));
    /// # assert_eq!(reaper.drain().await.cleaned, 1);
    /// # reaper.async_drop().await.unwrap();
    /// # }
    /// ```
    pub fn run_with(&self, spawn: impl FnMut(CleanupTask) + Send + 'static) -> Run {
        Run::new(self.registry(), Some(Box::new(spawn)))
    }

    /// Limits how many orphans are cleaned up at the same time. By default there is no limit.
    ///
    /// If the cleanup of one orphan waits for the cleanup of another, the limit must be large enough for
    /// both.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    pub fn set_concurrency(&self, limit: usize) {
        assert!(limit > 0, "a reaper that cleans up no orphan at a time never ends");
        self.registry().update(|inner| inner.limit = Some(limit));
    }

    /// Waits until every adopted value is cleaned up, and returns a report.
    ///
    /// The report covers the time since the last one. If there is no [`run`](Reaper::run), this future
    /// polls the cleanups of orphans while it waits. Inside a cleanup that this reaper polls, it only waits,
    /// also for that cleanup, so it never ends.
    ///
    /// It also waits for guards that are adopted in the meantime. To prevent new ones, call
    /// [`close`](Reaper::close) first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost, and the next call continues to wait. Each failure is in
    /// exactly one report, which the next call that ends returns.
    pub fn drain(&self) -> Drain<'_> {
        Drain::new(self.registry())
    }

    /// Returns a report of the time since the last one, without waiting.
    ///
    /// A service that never drains can call it from time to time, to log the number of cleanups. The hook
    /// has been told of each failure already.
    pub fn take_report(&self) -> Report {
        self.registry().update(|inner| std::mem::take(&mut inner.ended)).into_report()
    }

    /// Stops adopting.
    ///
    /// After that, [`try_adopt`](ReaperHandle::try_adopt) and [`try_acquire`](ReaperHandle::try_acquire)
    /// refuse. A guard that is adopted by [`adopt`](ReaperHandle::adopt) later behaves as a
    /// [`Checked`](crate::Checked) one: it panics if it is forgotten.
    pub fn close(&self) {
        self.registry().update(Inner::close);
    }

    /// Closes the reaper, drops every orphan without its cleanup, and returns a report that names
    /// them.
    ///
    /// It is for a deadline that has passed. The report also names the adopted guards that owners
    /// still hold. The reaper does not clean them up: if they are dropped later, they are dropped silently,
    /// because the report has named them.
    ///
    /// An orphan that is being polled at this moment, by another thread or by the cleanup that calls this,
    /// is decided when that poll returns. If its cleanup has ended, it counts as cleaned up. Otherwise it is
    /// dropped, and the next report names it, or the [hook](crate::hook) if the reaper is gone by then. This
    /// report [counts](Report::undecided) them.
    ///
    /// If a value panics while it is dropped, the report has that panic among its failures.
    #[must_use = "nothing else names the values that were dropped without their cleanup"]
    pub fn abandon(&self) -> Report {
        self.registry().abandon()
    }

    /// Closes the reaper, drains it until `deadline` is ready, and then abandons the rest.
    ///
    /// The report counts the cleanups that ended, and names the [abandoned](Reaper::abandon) values. A cleanup that
    /// another thread is polling at the deadline is not waited for; the report
    /// [counts](Report::undecided) these. [`Shutdown::watch`] shows what the shutdown waits for in the
    /// meantime.
    ///
    /// # Panics
    ///
    /// If the reaper was cleaned up before.
    ///
    /// # Examples
    ///
    /// ```
    /// use livedrop::{AsyncDropGuard, Reaper};
    /// use std::time::Duration;
    /// use tokio::time::sleep;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let reaper = Reaper::new();
    /// let stuck = AsyncDropGuard::with_cleanup((), |()| std::future::pending::<()>());
    /// drop(reaper.adopt(stuck));
    ///
    /// let report = Reaper::shutdown(reaper, sleep(Duration::from_secs(10))).await;
    /// assert_eq!(report.abandoned.len(), 1);
    /// # }
    /// ```
    pub fn shutdown<S, D>(reaper: AsyncDropGuard<Reaper, S>, deadline: D) -> Shutdown<D>
    where
        S: Armed,
        D: Future,
    {
        Shutdown::new(AsyncDropGuard::into_checked(reaper), deadline)
    }

    #[cfg(feature = "testing")]
    pub(crate) fn has_orphans(&self) -> bool {
        let is_orphan = |entry: &entry::Entry| !matches!(entry.state, entry::EntryState::Owned);
        self.registry().update(|inner| inner.entries.iter().any(|(_, entry)| is_orphan(entry)))
    }

    fn registry(&self) -> &Arc<Registry> {
        self.handle.registry()
    }
}

impl Deref for Reaper {
    type Target = ReaperHandle;

    fn deref(&self) -> &ReaperHandle {
        &self.handle
    }
}

#[async_trait]
impl AsyncDrop for Reaper {
    type Error = Report;

    async fn async_drop_impl(&mut self) -> Result<(), Report> {
        self.close();
        self.drain().await.into_result()
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.registry().update(Inner::remove_reaper);
    }
}

impl fmt::Debug for Reaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reaper").field("pending", &self.pending()).finish()
    }
}
