//! The reaper: whatever becomes of the owner of an adopted guard, the cleanup happens, once.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::state::Armed;
use crate::{Adopted, AsyncDrop, AsyncDropGuard};

mod acquire;
mod driver;
mod handle;
mod orphan;
mod registry;
mod report;

pub use acquire::Acquire;
pub use driver::{Drain, Run};
pub use handle::ReaperHandle;
pub(crate) use orphan::{BoxedError, Cleanup, start};
pub(crate) use registry::Registration;
pub use report::{Failure, Pending, Report, Stage};

use registry::Registry;

/// A guard of this value can be [adopted](crate::Reaper::adopt): it is `'static` and [`Send`],
/// and the error of its cleanup is [`Send`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be adopted by a reaper",
    label = "the reaper may keep this value longer than its owner, on another thread",
    note = "it must be `Send` and `'static`, and the `Error` of its `AsyncDrop` must be `Send`: give it owned data, or clean its guard up without a reaper"
)]
pub trait Adoptable: AsyncDrop<Error: Send> + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: AsyncDrop<Error: Send> + Send + 'static> Adoptable for T {}

/// Finishes the cleanup of adopted guards whose owners were cancelled, panicked, or forgot.
///
/// [`adopt`](Reaper::adopt) turns a guard into an [`Adopted`] one. Its owner uses the value and
/// cleans it up as before. If the owner goes without that, at whatever `.await`, in the body or
/// in the cleanup itself, the value is handed to the reaper as an *orphan*. The cleanup is begun
/// once and polled to its end once, by the owner or by the reaper: one that was half-run is
/// resumed, never restarted.
///
/// The reaper has no runtime and no thread. Orphans are cleaned up by whoever polls
/// [`run`](Reaper::run), which is for a task of its own, or [`drain`](Reaper::drain), at the end;
/// where both are polled, by either. Cleanups that use timers or sockets of a runtime must be
/// polled on it: spawn `run` there, and await `drain` and the reaper's `async_drop` there, too.
///
/// A reaper is a guarded value itself: [`Reaper::new`] gives a guard, whose `async_drop` closes
/// the reaper, drains it, and fails with the [`Report`] if a cleanup of an orphan failed.
/// Waiting for a guard that the same function holds waits forever; [`pending`](Reaper::pending)
/// tells what is waited for.
///
/// # Cancel safety
///
/// Cleaning the reaper up is cancel safe: call it again, and it waits on.
///
/// # Panics
///
/// A reaper that is forgotten panics as any guard does. If no [`run`](Reaper::run) is left that
/// goes on, each orphan that was not cleaned up is reported to the [`hook`](crate::hook), too.
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
/// drop(adopted); // as a `?`, a panic or an aborted task would
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
    /// A reaper with nothing to do, in its guard.
    #[track_caller]
    pub fn new() -> AsyncDropGuard<Reaper> {
        let registry = Arc::new(Registry::new());
        AsyncDropGuard::new(Reaper { handle: ReaperHandle::new(registry) })
    }

    /// What adopts for this reaper from anywhere: cheap to clone, `Send`, `Sync` and `'static`.
    #[must_use = "a handle does nothing by itself"]
    pub fn handle(&self) -> ReaperHandle {
        self.handle.clone()
    }

    /// See [`ReaperHandle::adopt`].
    pub fn adopt<T, S: Armed>(&self, guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<T, Adopted>
    where
        T: Adoptable + 'static, // it may outlive any borrow: own the data, or `Arc<Mutex<_>>`
    {
        self.handle.adopt(guard)
    }

    /// See [`ReaperHandle::acquire`].
    #[track_caller]
    pub fn acquire<T, S, E, F>(&self, open: F) -> Acquire<T, S, E, F>
    where
        T: Adoptable,
        S: Armed,
        F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
    {
        self.handle.acquire(open)
    }

    /// Cleanable orphans up as they come. Spawn it, on the runtime that the cleanups need.
    ///
    /// It ends when the reaper was [closed](Reaper::close) and nothing adopted is left. There may
    /// be several, and they may be dropped at any time: the others, and `drain`, go on.
    pub fn run(&self) -> Run {
        Run::new(Arc::clone(self.handle.registry()))
    }

    /// Waits until nothing adopted is alive or pending, and reports what has gone on since the
    /// last report. Cleanable orphans up meanwhile, even where a [`run`](Reaper::run) does: await it
    /// on the runtime that they need.
    ///
    /// Guards that are adopted while it waits are waited for, too;
    /// [`close`](Reaper::close) first if there are to be none.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost, the next call waits on. Each failure is in one report only:
    /// in that of the call that ends.
    pub fn drain(&self) -> Drain<'_> {
        Drain::new(self.handle.registry())
    }

    /// What is adopted now, and was not cleaned up yet: oldest first.
    #[must_use = "the list is all this is for"]
    pub fn pending(&self) -> Vec<Pending> {
        self.handle.pending()
    }

    /// Adopts nothing any more. A guard that is adopted later behaves as a
    /// [`Checked`](crate::Checked) one: it panics when it is forgotten.
    pub fn close(&self) {
        self.handle.registry().close();
    }

    /// Gives up: closes the reaper, drops every orphan without its cleanup, and says which those
    /// are. For a deadline that has passed.
    ///
    /// What an owner still holds is named, too, and belongs to that owner from here on: it
    /// behaves as [`Checked`](crate::Checked). Panics of dropped values are among the failures.
    #[must_use = "the report names what was given up"]
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
