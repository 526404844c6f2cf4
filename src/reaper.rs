//! The reaper: it cleans up an adopted guard if the owner does not, and every cleanup runs once.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;

use crate::guard::{AdoptedSlot, Arms, Origin, Slot};
use crate::state::Armed;
use crate::{Adopted, AsyncDrop, AsyncDropGuard};

mod acquire;
mod driver;
mod entry;
mod inner;
mod orphan;
mod registration;
mod registry;
mod report;
mod shield;
mod shutdown;
mod slab;
mod task;

pub use acquire::{Abandoned, Acquire, TryAcquire, TryAcquireError};
pub use driver::{Drain, Run};
pub(crate) use orphan::{BoxedError, Cleanup, start};
pub use registration::EntryRef;
pub(crate) use registration::Registration;
pub use report::{Failure, Pending, Report, Stage};
pub use shield::Shield;
pub use shutdown::Shutdown;
pub use task::CleanupTask;

use entry::{Identity, Tag};
use registry::Registry;

/// A value whose guard can be [adopted](crate::Reaper::adopt): it is `'static` and [`Send`],
/// and the error of its cleanup is [`Send`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be adopted by a reaper",
    label = "the reaper may keep this value longer than its owner, on another thread",
    note = "it must be `Send` and `'static`, and the `Error` of its `AsyncDrop` must be `Send`: give it owned data, or clean up its guard without a reaper"
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
        let registry = Arc::<Registry>::default();
        AsyncDropGuard::new(Reaper { handle: ReaperHandle::new(registry) })
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
        self.registry().set_limit(limit);
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

    /// Returns what has ended since the last report, without waiting.
    ///
    /// A service that never drains can call it from time to time, to log the number of cleanups. The hook
    /// has been told of each failure already.
    pub fn take_report(&self) -> Report {
        self.registry().take_report()
    }

    /// Stops adopting.
    ///
    /// After that, [`try_adopt`](ReaperHandle::try_adopt) and [`try_acquire`](ReaperHandle::try_acquire)
    /// refuse. A guard that is adopted by [`adopt`](ReaperHandle::adopt) later behaves as a
    /// [`Checked`](crate::Checked) one: it panics if it is forgotten.
    pub fn close(&self) {
        self.registry().close();
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

    /// Closes the reaper, drains it until `deadline` is ready, and then abandons what is left.
    ///
    /// The report has everything that ended, and names what was [abandoned](Reaper::abandon). A cleanup that
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
        self.registry().remove_reaper();
    }
}

impl fmt::Debug for Reaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reaper").field("pending", &self.pending()).finish()
    }
}

/// Adopts for a [`Reaper`] from any task.
///
/// It is cheap to clone, `Send`, `Sync` and `'static`.
#[derive(Clone)]
pub struct ReaperHandle {
    adopter: Arc<Adopter>,
    tag: Option<Arc<Tag>>,
}

/// Shared by a reaper and its handles. When it is dropped, nobody can adopt any more, so every `Run` ends.
struct Adopter {
    registry: Arc<Registry>,
}

impl Drop for Adopter {
    fn drop(&mut self) {
        self.registry.close();
    }
}

impl ReaperHandle {
    fn new(registry: Arc<Registry>) -> Self {
        Self { adopter: Arc::new(Adopter { registry }), tag: None }
    }

    fn registry(&self) -> &Arc<Registry> {
        &self.adopter.registry
    }

    /// Registers a value under this handle's label and lane, unless the reaper is closed.
    pub(crate) fn register<T>(&self, origin: Origin<T>, stage: Stage) -> Option<Registration> {
        self.registry().register(Identity::new(origin, self.tag.clone()), stage)
    }

    fn with_tag(&self, change: impl FnOnce(&mut Tag)) -> Self {
        let mut tag = self.tag.as_deref().cloned().unwrap_or_default();
        change(&mut tag);
        Self { adopter: Arc::clone(&self.adopter), tag: Some(Arc::new(tag)) }
    }

    /// Returns a handle of the same reaper that labels the guards it adopts and acquires.
    ///
    /// The label distinguishes values of one type that are created at one place: [`Pending`] and
    /// [`Failure`] have it beside the type and the creation site. The new
    /// label replaces the label of this handle.
    ///
    /// # Examples
    ///
    /// ```
    /// use livedrop::{AsyncDropGuard, Reaper};
    /// # struct Peer;
    /// # impl Peer {
    /// #     async fn connect(_: &str) -> std::io::Result<AsyncDropGuard<Peer>> { Ok(AsyncDropGuard::new(Peer)) }
    /// # }
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for Peer {
    /// #     type Error = std::io::Error;
    /// #     async fn async_drop_impl(&mut self) -> std::io::Result<()> { Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut reaper = Reaper::new();
    /// let handle = reaper.handle();
    ///
    /// let name = "anna";
    /// let peer = handle.with_label(format!("peer {name}")).acquire(Peer::connect(name)).await?;
    /// assert_eq!(reaper.pending()[0].label.as_deref(), Some("peer anna"));
    /// # drop(peer);
    /// reaper.async_drop().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "this returns a new handle and does not label guards adopted through the old one"]
    pub fn with_label(&self, label: impl Into<Arc<str>>) -> ReaperHandle {
        self.with_tag(|tag| tag.label = Some(label.into()))
    }

    /// Returns a handle of the same reaper whose orphans are cleaned up one after another, in the order in
    /// which they were orphaned.
    ///
    /// Rust drops a dependant before the value that it depends on, so that is the right order for values that
    /// depend on each other: the containers of a network, then the network. The next orphan has its turn when
    /// the cleanup of the one before has ended, with success or without.
    ///
    /// An owner that is alive delays no orphan. A cleanup that was half done when its owner was cancelled waits
    /// for its turn, too. An opening whose caller was cancelled holds its place until it has opened the value
    /// and cleaned it up.
    ///
    /// Clones of the handle and handles made by [`with_label`](Self::with_label) have the same order. Another
    /// call of `ordered` begins a new one, which is independent of the first.
    ///
    /// If the cleanup of an orphan waits for a later orphan of the same order, it waits forever.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::{Arc, Mutex};
    /// # use livedrop::{AsyncDropGuard, Reaper};
    /// # futures::executor::block_on(async {
    /// # let log = Arc::new(Mutex::new(Vec::new()));
    /// # let resource = |name: &'static str| {
    /// #     let log = Arc::clone(&log);
    /// #     AsyncDropGuard::with_cleanup(name, move |name| async move { log.lock().unwrap().push(name) })
    /// # };
    /// let mut reaper = Reaper::new();
    /// let handle = reaper.handle().ordered();
    /// let network = handle.adopt(resource("network"));
    /// let container = handle.adopt(resource("container"));
    ///
    /// drop((container, network)); // as locals are dropped if a task is aborted
    /// reaper.drain().await;
    /// # assert_eq!(*log.lock().unwrap(), ["container", "network"]);
    /// # reaper.async_drop().await.unwrap();
    /// # });
    /// ```
    #[must_use = "this returns a new handle and does not order guards adopted through the old one"]
    pub fn ordered(&self) -> ReaperHandle {
        let lane = self.registry().new_lane();
        self.with_tag(|tag| tag.lane = Some(lane))
    }

    /// Adopts the guard: if its owner does not clean it up, the reaper does.
    ///
    /// A guard that was cleaned up before stays cleaned up. If the reaper is closed,
    /// the guard behaves as a [`Checked`](crate::Checked) one: it panics if it is forgotten. Use
    /// [`try_adopt`](Self::try_adopt) where that may happen.
    pub fn adopt<T, S: Armed>(&self, guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<T, Adopted>
    where
        T: Adoptable + 'static, // the reaper may outlive this borrow: own the data (`Arc<Mutex<_>>`), or clean up here
    {
        let slot = match guard.slot.take() {
            Ok((origin, value)) => {
                let registration = self.register(origin, Stage::Alive);
                AdoptedSlot::new(origin, value, registration)
            }
            Err(origin) => AdoptedSlot::done(origin),
        };
        AsyncDropGuard { slot }
    }

    /// As [`adopt`](Self::adopt), but a closed reaper refuses the guard.
    ///
    /// # Errors
    ///
    /// Returns the guard if the reaper is closed. It still owes its cleanup.
    pub fn try_adopt<T, S: Armed>(
        &self,
        guard: AsyncDropGuard<T, S>,
    ) -> Result<AsyncDropGuard<T, Adopted>, AsyncDropGuard<T, S>>
    where
        T: Adoptable + 'static, // the reaper may outlive this borrow: own the data (`Arc<Mutex<_>>`), or clean up here
    {
        let Some(registration) = self.register(guard.slot.origin(), Stage::Alive) else {
            return Err(guard);
        };
        let slot = match guard.slot.take() {
            Ok((origin, value)) => AdoptedSlot::new(origin, value, Some(registration)),
            Err(origin) => AdoptedSlot::done(origin),
        };
        Ok(AsyncDropGuard { slot })
    }

    /// Awaits `open`, and adopts its guard. Cancelling the returned future leaks nothing.
    ///
    /// If the returned future is dropped after its first poll and before it is ready, the reaper
    /// finishes `open` and cleans up its guard. If `open` fails then, its error is dropped, because
    /// there is nothing to clean up. If the future is dropped before its first poll, `open` never
    /// runs.
    ///
    /// `open` must be `'static`. Move the data that it borrows into it:
    /// `acquire(async move { Connection::open(&address).await })`.
    ///
    /// If the reaper is closed before the first poll, it protects nothing: `open` is
    /// dropped with the returned future, and its guard behaves as a [`Checked`](crate::Checked)
    /// one. Use [`try_acquire`](Self::try_acquire) where that may happen.
    ///
    /// A cancelled `acquire` keeps what `open` has already got, for example a place in a fair queue: the tasks
    /// after it in the queue wait until a [`run`](Reaper::run) or a `drain` has finished the opening. Wait in
    /// the queue before this call, and put only the step that must be cleaned up into `open`. If that is
    /// impossible, use [`acquire_with`](Self::acquire_with). The guide has
    /// [an example](crate::guide::shutdown#wait-outside-of-acquire).
    ///
    /// # Errors
    ///
    /// Returns the error of `open`.
    ///
    /// # Panics
    ///
    /// Panics if `open` panics.
    #[track_caller]
    pub fn acquire<T, S, E, F>(&self, open: F) -> Acquire<T, S, E, F>
    where
        T: Adoptable,
        S: Armed,
        F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
    {
        Acquire::new(self.clone(), Origin::here(), open, None)
    }

    /// As [`acquire`](Self::acquire), but a closed reaper does not open anything.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError::Closed`] if the reaper is closed at the first poll, and
    /// [`TryAcquireError::Open`] if `open` fails.
    ///
    /// # Panics
    ///
    /// Panics if `open` panics.
    #[track_caller]
    pub fn try_acquire<T, S, E, F>(&self, open: F) -> TryAcquire<T, S, E, F>
    where
        T: Adoptable,
        S: Armed,
        F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
    {
        TryAcquire { acquire: self.acquire(open) }
    }

    /// As [`acquire`](Self::acquire), for an opening that can stop early.
    ///
    /// `open` gets an [`Abandoned`], which is ready once the caller is gone. The opening can then give up, by
    /// an error, instead of getting something that nobody uses. Leave everything else to the reaper: it polls
    /// the opening to its end in any case, and cleans up if that is a guard.
    ///
    /// # Errors
    ///
    /// Returns the error of the opening.
    ///
    /// # Panics
    ///
    /// Panics if `open` or its future panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use livedrop::{Adopted, AsyncDropGuard, ReaperHandle};
    /// use tokio::sync::{OwnedSemaphorePermit, Semaphore};
    /// # struct Connection(#[expect(dead_code)] OwnedSemaphorePermit);
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for Connection {
    /// #     type Error = std::io::Error;
    /// #     async fn async_drop_impl(&mut self) -> std::io::Result<()> { Ok(()) }
    /// # }
    /// # impl Connection {
    /// #     async fn open(permit: OwnedSemaphorePermit) -> Result<AsyncDropGuard<Connection>, &'static str> {
    /// #         Ok(AsyncDropGuard::new(Connection(permit)))
    /// #     }
    /// # }
    ///
    /// async fn connect(
    ///     reaper: &ReaperHandle,
    ///     pool: Arc<Semaphore>,
    /// ) -> Result<AsyncDropGuard<Connection, Adopted>, &'static str> {
    ///     let open = async move |abandoned| {
    ///         let permit = tokio::select! {
    ///             permit = pool.acquire_owned() => permit.map_err(|_| "the pool is closed")?,
    ///             () = abandoned => return Err("nobody waits for it"),
    ///         };
    ///         Connection::open(permit).await
    ///     };
    ///     reaper.acquire_with(open).await
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// #     let mut reaper = livedrop::Reaper::new();
    /// #     let pool = Arc::new(Semaphore::new(1));
    /// #     drop(connect(&reaper.handle(), pool).await.unwrap());
    /// #     reaper.async_drop().await.unwrap();
    /// # }
    /// ```
    #[track_caller]
    pub fn acquire_with<T, S, E, F>(&self, open: impl FnOnce(Abandoned) -> F) -> Acquire<T, S, E, F>
    where
        T: Adoptable,
        S: Armed,
        F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
    {
        let (caller, abandoned) = Abandoned::new();
        Acquire::new(self.clone(), Origin::here(), open(abandoned), Some(caller))
    }

    /// Awaits `future`. Cancelling the returned future does not cancel `future`.
    ///
    /// If the returned future is dropped after its first poll and before it is ready, the reaper polls
    /// `future` to its end, and drops its output. `drain` waits for it. It is
    /// [`acquire`](Self::acquire) for a future that makes no guard: a message that must be sent to its end, a
    /// file that must not be half written.
    ///
    /// If the reaper is closed before the first poll, it shields nothing: `future` is dropped with the
    /// returned future.
    ///
    /// # Panics
    ///
    /// Panics if `future` panics. If the reaper polls it then, the panic is a
    /// [`Failure`] of type `F`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use livedrop::Reaper;
    /// # use std::time::Duration;
    /// # async fn send(_: &str) { tokio::time::sleep(Duration::from_secs(1)).await }
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let mut reaper = Reaper::new();
    /// let sending = reaper.handle().shield(async { send("goodbye").await });
    /// let sent = tokio::time::timeout(Duration::from_millis(10), sending).await;
    /// assert!(sent.is_err());
    /// reaper.async_drop().await.expect("it is sent by now");
    /// # }
    /// ```
    #[track_caller]
    pub fn shield<F>(&self, future: F) -> Shield<F>
    where
        F: Future + Send + 'static, // the reaper may poll it after the caller is gone: move the data in (`async move`)
    {
        Shield::new(self.clone(), Origin::here(), future)
    }

    /// Returns the adopted values that are not cleaned up yet, oldest first. The members of a stack stand
    /// after the stack.
    #[must_use = "this returns a list and changes nothing"]
    pub fn pending(&self) -> Vec<Pending> {
        self.registry().pending()
    }

    /// Returns whether the reaper is closed, so that it adopts nothing any more.
    #[must_use = "this returns whether the reaper is closed and does not close it"]
    pub fn is_closed(&self) -> bool {
        self.registry().is_closed()
    }
}

impl fmt::Debug for ReaperHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaperHandle")
            .field("is_closed", &self.is_closed())
            .field("label", &self.tag.as_ref().and_then(|tag| tag.label.as_ref()))
            .finish_non_exhaustive()
    }
}
