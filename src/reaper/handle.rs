//! What adopts for a reaper from anywhere.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::books::{Entry, Ticket};
use super::{Acquire, Pending, Stage, Yard};
use crate::bomb::Origin;
use crate::guard::AdoptedSlot;
use crate::{Adopted, Armed, AsyncDropGuard, CanAdopt};

/// Adopts for a [`Reaper`](crate::Reaper) from any task: cheap to clone, `Send`, `Sync` and
/// `'static`.
#[derive(Clone)]
pub struct ReaperHandle {
    yard: Arc<Yard>,
    label: Option<Arc<str>>,
}

impl ReaperHandle {
    pub(super) fn new(yard: Arc<Yard>) -> Self {
        Self { yard, label: None }
    }

    pub(super) fn yard(&self) -> &Arc<Yard> {
        &self.yard
    }

    /// A ticket for a value of this handle, unless the reaper is closed.
    pub(super) fn admit<T>(&self, origin: Origin<T>, stage: Stage) -> Option<Ticket> {
        let label = self.label.clone();
        self.yard.admit(Entry { label, ..Entry::new(origin, stage) })
    }

    /// A handle of the same reaper that gives this label to what it adopts and acquires.
    ///
    /// For values of one type that are made at one place: the label stands in
    /// [`Pending`] and in [`Failure`](crate::Failure), beside the type and the creation site. It
    /// goes along where an adopted guard is wrapped, as into an
    /// [`AsyncDropArc`](crate::AsyncDropArc). A label of this handle is replaced.
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
    /// let peer = handle.labelled(format!("peer {name}")).acquire(Peer::connect(name)).await?;
    /// assert_eq!(reaper.pending()[0].label.as_deref(), Some("peer anna"));
    /// # drop(peer);
    /// reaper.async_drop().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "it labels what the new handle adopts, not what this one does"]
    pub fn labelled(&self, label: impl Into<Arc<str>>) -> ReaperHandle {
        Self { yard: Arc::clone(&self.yard), label: Some(label.into()) }
    }

    /// Makes the guard one that cannot be lost.
    ///
    /// A guard that was cleaned up before is adopted as cleaned up. If the reaper was closed or
    /// has gone, the guard behaves as a [`Checked`](crate::Checked) one: it panics when it is
    /// forgotten.
    pub fn adopt<T, S: Armed>(&self, guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<T, Adopted>
    where
        T: CanAdopt + 'static, // it may outlive any borrow: own the data, or `Arc<Mutex<_>>`
    {
        let slot = match S::into_value(guard.slot) {
            Ok((origin, value)) => {
                let ticket = self.admit(origin, Stage::Alive);
                AdoptedSlot::new(origin, value, ticket)
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
        T: CanAdopt,
        S: Armed,
        F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
    {
        Acquire::new(self.clone(), Origin::here(), open)
    }

    /// What is adopted now, and was not cleaned up yet: oldest first.
    #[must_use = "the list is all this is for"]
    pub fn pending(&self) -> Vec<Pending> {
        self.yard.pending()
    }

    /// Whether the reaper adopts nothing any more.
    #[must_use = "this only tells"]
    pub fn is_closed(&self) -> bool {
        self.yard.is_closed()
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

impl Entry {
    /// Of a value that was adopted now.
    pub(crate) fn new<T>(origin: Origin<T>, stage: Stage) -> Self {
        Self {
            type_name: crate::type_name::of::<T>,
            created_at: origin.created_at(),
            label: None,
            since: Instant::now(),
            stage,
        }
    }

    /// Makes it one of a value that is there now, under the same label.
    pub(crate) fn renew<T>(&mut self, origin: Origin<T>) {
        let label = self.label.take();
        *self = Self { label, ..Self::new(origin, Stage::Alive) };
    }
}
