//! `ReaperHandle`: adopts for a reaper from any task.

use std::fmt;
use std::sync::Arc;

use super::registry::{Entry, Registration, Registry};
use super::{Acquire, Adoptable, Pending, Stage};
use crate::guard::{AdoptedSlot, Origin, Owes, Slot};
use crate::state::Armed;
use crate::{Adopted, AsyncDropGuard};

/// Adopts for a [`Reaper`](crate::Reaper) from any task.
///
/// It is cheap to clone, `Send`, `Sync` and `'static`.
#[derive(Clone)]
pub struct ReaperHandle {
    registry: Arc<Registry>,
    label: Option<Arc<str>>,
}

impl ReaperHandle {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        Self { registry, label: None }
    }

    pub(super) fn registry(&self) -> &Arc<Registry> {
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
    /// [`Failure`](crate::reaper::Failure) have it beside the type and the creation site. If a
    /// labelled guard is wrapped, such as in an [`AsyncDropArc`](crate::sync::AsyncDropArc), the
    /// wrapper gets the same label. The new label replaces the label of this handle.
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
        T: Adoptable + 'static, // the reaper may keep it: own the data, or share it in an `Arc`
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
