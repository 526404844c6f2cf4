//! The reaper: it cleans up an adopted guard if the owner does not, and every cleanup runs once.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::guard::{AdoptedSlot, Arms, Origin, Slot};
use crate::state::Armed;
use crate::{Adopted, AsyncDrop, AsyncDropGuard};

mod acquire;
mod driver;
mod orphan;
mod registry;
mod report;

pub use acquire::Acquire;
pub use driver::{Drain, Run};
pub(crate) use orphan::{BoxedError, Cleanup, start};
pub(crate) use registry::Registration;
pub use report::{Failure, Pending, Report, Stage};

use registry::{Entry, Registry};

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
/// The reaper has no runtime and no thread. Two futures poll the cleanups of orphans:
/// [`run`](Reaper::run), for a task of its own, and [`drain`](Reaper::drain), for the end of the
/// program. If both are polled, either may poll a cleanup. A cleanup that uses timers or sockets
/// must be polled on the runtime that provides them: spawn `run` there, and await `drain` and the
/// reaper's `async_drop` there, too.
///
/// The reaper itself is a guarded value: [`Reaper::new`] returns a guard. Its `async_drop` closes
/// the reaper and drains it, and fails with the [`Report`] if the cleanup of an orphan failed.
/// If a function holds an adopted guard while it awaits `drain` or `async_drop`, it waits forever.
/// [`pending`](Reaper::pending) lists the values that these two wait for.
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
        let registry = Arc::new(Registry::new());
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
    /// The future ends when the reaper is [closed](Reaper::close) and no adopted value is left.
    /// Several of these futures may exist at a time. Each may be dropped at any time: the others
    /// and `drain` continue its work.
    pub fn run(&self) -> Run {
        Run::new(Arc::clone(self.handle.registry()))
    }

    /// Waits until every adopted value is cleaned up, and returns a report.
    ///
    /// The report covers the time since the last one. While it waits, this future cleans up
    /// orphans, even beside a [`run`](Reaper::run): await it on the runtime that the cleanups need.
    ///
    /// It also waits for guards that are adopted in the meantime. To prevent new ones, call
    /// [`close`](Reaper::close) first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost, and the next call continues to wait. Each failure is in
    /// exactly one report, which the next call that ends returns.
    pub fn drain(&self) -> Drain<'_> {
        Drain::new(self.handle.registry())
    }

    /// Returns the adopted values that are not cleaned up yet, oldest first.
    #[must_use = "this returns a list and changes nothing"]
    pub fn pending(&self) -> Vec<Pending> {
        self.handle.pending()
    }

    /// Stops adopting.
    ///
    /// A guard that is adopted later behaves as a [`Checked`](crate::Checked) one: it panics if it
    /// is forgotten.
    pub fn close(&self) {
        self.handle.registry().close();
    }

    /// Closes the reaper, drops every orphan without its cleanup, and returns a report that names
    /// them.
    ///
    /// It is for a deadline that has passed. The report also names the adopted guards that owners
    /// still hold. From now on they behave as [`Checked`](crate::Checked) guards: the reaper does
    /// not clean them up. If a value panics while it is dropped, the report has that panic among
    /// its failures.
    #[must_use = "nothing else names the values that were dropped without their cleanup"]
    pub fn abandon(&self) -> Report {
        self.handle.registry().abandon()
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
        self.handle.registry().remove_driver();
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
    registry: Arc<Registry>,
    label: Option<Arc<str>>,
}

impl ReaperHandle {
    fn new(registry: Arc<Registry>) -> Self {
        Self { registry, label: None }
    }

    fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Registers a value under this handle's label, unless the reaper is closed.
    pub(super) fn register<T>(&self, origin: Origin<T>, stage: Stage) -> Option<Registration> {
        let mut entry = Entry::new(origin, stage);
        entry.label.clone_from(&self.label);
        self.registry.register(entry)
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
        Self { registry: Arc::clone(&self.registry), label: Some(label.into()) }
    }

    /// Adopts the guard: if its owner does not clean it up, the reaper does.
    ///
    /// A guard that was cleaned up before stays cleaned up. If the reaper was closed or is gone,
    /// the guard behaves as a [`Checked`](crate::Checked) one: it panics if it is forgotten.
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
    /// If the reaper was closed before the first poll or is gone, it protects nothing: `open` is
    /// dropped with the returned future, and its guard behaves as a [`Checked`](crate::Checked)
    /// one.
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
        Acquire::new(self.clone(), Origin::here(), open)
    }

    /// Returns the adopted values that are not cleaned up yet, oldest first.
    #[must_use = "this returns a list and changes nothing"]
    pub fn pending(&self) -> Vec<Pending> {
        self.registry.pending()
    }

    /// Returns whether the reaper is closed, so that it adopts nothing any more.
    #[must_use = "this returns whether the reaper is closed and does not close it"]
    pub fn is_closed(&self) -> bool {
        self.registry.is_closed()
    }
}

impl fmt::Debug for ReaperHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaperHandle")
            .field("is_closed", &self.is_closed())
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}
