//! `ReaperHandle`: adopts for a reaper from any task.

use std::fmt;
use std::sync::Arc;

use super::registry::{Inner, Registry};
use super::report::to_pending;
use super::{Abandoned, Acquire, Adoptable, Pending, Registration, Shield, Stage, TryAcquire};
use crate::guard::{AdoptedSlot, Origin, Slot};
use crate::state::Armed;
use crate::{Adopted, AsyncDropGuard};

/// Adopts for a [`Reaper`](crate::Reaper) from any task.
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
        self.registry.update(Inner::close);
    }
}

/// The label and the lane of a handle.
#[derive(Clone, Default)]
pub(super) struct Tag {
    pub(super) label: Option<Arc<str>>,
    pub(super) lane: Option<LaneId>,
}

/// The number of a lane; see [`ReaperHandle::ordered`].
pub(super) type LaneId = u64;

impl ReaperHandle {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        Self { adopter: Arc::new(Adopter { registry }), tag: None }
    }

    pub(super) fn registry(&self) -> &Arc<Registry> {
        &self.adopter.registry
    }

    /// Registers a value under this handle's label and lane, unless the reaper is closed.
    pub(crate) fn register<T>(&self, origin: Origin<T>, stage: Stage) -> Option<Registration> {
        Registration::new(self.registry(), origin, self.tag.clone(), stage, false)
    }

    /// Adopts inside a future. If this reaper shields that, it adopts also if it was closed meanwhile.
    pub(crate) fn adopt_inside<T: Adoptable, S: Armed>(
        &self,
        guard: AsyncDropGuard<T, S>,
        is_shielded: bool,
    ) -> AsyncDropGuard<T, Adopted> {
        let (origin, tag) = (guard.slot.origin(), self.tag.clone());
        let registration =
            Registration::new(self.registry(), origin, tag, Stage::Alive, is_shielded);
        AdoptedSlot::adopt(guard, registration)
    }

    fn with_tag(&self, change: impl FnOnce(&mut Tag)) -> Self {
        let mut tag = self.tag.as_deref().cloned().unwrap_or_default();
        change(&mut tag);
        Self { adopter: Arc::clone(&self.adopter), tag: Some(Arc::new(tag)) }
    }

    /// Returns a handle of the same reaper that labels the guards it adopts and acquires.
    ///
    /// The label distinguishes values of one type that are created at one place: [`Pending`] and
    /// [`Failure`](super::Failure) have it beside the type and the creation site. The new
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
        let lane = self.registry().update(|inner| {
            inner.last_lane += 1;
            inner.last_lane
        });
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
        let registration = self.register(guard.slot.origin(), Stage::Alive);
        AdoptedSlot::adopt(guard, registration)
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
        match self.register(guard.slot.origin(), Stage::Alive) {
            None => Err(guard),
            registration => Ok(AdoptedSlot::adopt(guard, registration)),
        }
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
    /// after it in the queue wait until a [`run`](crate::Reaper::run) or a `drain` has finished the opening. Wait in
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
    /// [`TryAcquireError::Closed`](super::TryAcquireError::Closed) if the reaper is closed at the first poll, and
    /// [`TryAcquireError::Open`](super::TryAcquireError::Open) if `open` fails.
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
    /// [`Failure`](super::Failure) of type `F`.
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
        // The copies are made under the lock, but their memory is allocated before, and everything is
        // sorted and formatted after it.
        let mut copies = Vec::with_capacity(self.registry().update(|inner| inner.entries.len()));
        self.registry().update(|inner| {
            copies.extend(inner.entries.iter().map(|(key, entry)| (key, entry.facts.clone())));
        });
        to_pending(copies)
    }

    /// Returns whether the reaper is closed, so that it adopts nothing any more.
    #[must_use = "this returns whether the reaper is closed and does not close it"]
    pub fn is_closed(&self) -> bool {
        self.registry().update(|inner| inner.closed)
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
