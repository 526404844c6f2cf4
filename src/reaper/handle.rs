//! What adopts for a reaper from anywhere.

use std::fmt;
use std::sync::Arc;

use super::registry::{Entry, Registration, Registry};
use super::{Acquire, Adoptable, Pending, Stage};
use crate::guard::{AdoptedSlot, Origin, Owes, Slot};
use crate::state::Armed;
use crate::{Adopted, AsyncDropGuard};

/// Adopts for a [`Reaper`](crate::Reaper) from any task: cheap to clone, `Send`, `Sync` and
/// `'static`.
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

    /// A handle of the same reaper that gives this label to what it adopts and acquires.
    ///
    /// For values of one type that are made at one place: the label stands in
    /// [`Pending`] and in [`Failure`](crate::reaper::Failure), beside the type and the creation site. It
    /// goes along where an adopted guard is wrapped, as into an
    /// [`AsyncDropArc`](crate::sync::AsyncDropArc). A label of this handle is replaced.
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
    #[must_use = "it labels what the new handle adopts, not what this one does"]
    pub fn with_label(&self, label: impl Into<Arc<str>>) -> ReaperHandle {
        Self { registry: Arc::clone(&self.registry), label: Some(label.into()) }
    }

    /// Makes the guard one that cannot be lost.
    ///
    /// A guard that was cleaned up before is adopted as cleaned up. If the reaper was closed or
    /// has gone, the guard behaves as a [`Checked`](crate::Checked) one: it panics when it is
    /// forgotten.
    pub fn adopt<T, S: Armed>(&self, guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<T, Adopted>
    where
        T: Adoptable + 'static, // it may outlive any borrow: own the data, or `Arc<Mutex<_>>`
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

    /// Awaits `open`, and adopts the guard that it gives: shielded, so that cancelling it leaks
    /// nothing.
    ///
    /// If the returned future is dropped after it was polled and before it is ready, the reaper
    /// finishes `open`, and then cleans up what that gave; an error of `open` is dropped then,
    /// since nothing was made. If it is dropped without ever being polled, nothing happens.
    ///
    /// `open` is `'static`; what it borrows is moved in with it:
    /// `acquire(async move { Connection::open(&address).await })`.
    ///
    /// If the reaper was closed before the first poll, or has gone, nothing is shielded: `open` is
    /// dropped with the returned future, and the guard that it gives behaves as a
    /// [`Checked`](crate::Checked) one.
    ///
    /// # Errors
    ///
    /// The error of `open`.
    ///
    /// # Panics
    ///
    /// If `open` does.
    #[track_caller]
    pub fn acquire<T, S, E, F>(&self, open: F) -> Acquire<T, S, E, F>
    where
        T: Adoptable,
        S: Armed,
        F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
    {
        Acquire::new(self.clone(), Origin::here(), open)
    }

    /// What is adopted now, and was not cleaned up yet: oldest first.
    #[must_use = "the list is all this is for"]
    pub fn pending(&self) -> Vec<Pending> {
        self.registry.pending()
    }

    /// Whether the reaper adopts nothing any more.
    #[must_use = "this only tells"]
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
