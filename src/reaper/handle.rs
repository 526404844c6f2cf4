//! What adopts for a reaper from anywhere.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::books::Entry;
use super::{Acquire, Pending, Stage, Yard};
use crate::bomb::Origin;
use crate::guard::AdoptedSlot;
use crate::{Adopted, Armed, AsyncDropGuard, CanAdopt};

/// Adopts for a [`Reaper`](crate::Reaper) from any task: cheap to clone, `Send`, `Sync` and
/// `'static`.
#[derive(Clone)]
pub struct ReaperHandle {
    yard: Arc<Yard>,
}

impl ReaperHandle {
    pub(super) fn new(yard: Arc<Yard>) -> Self {
        Self { yard }
    }

    pub(super) fn yard(&self) -> &Arc<Yard> {
        &self.yard
    }

    /// Makes the guard one that cannot be lost.
    ///
    /// A guard that was cleaned up before is adopted as cleaned up. If the reaper was closed or
    /// has gone, the guard behaves as a [`Checked`](crate::Checked) one: it panics when it is
    /// forgotten.
    pub fn adopt<T, S: Armed>(&self, guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<T, Adopted>
    where
        T: CanAdopt + 'static, // it outlives any borrow: give it owned data, or use no reaper
    {
        let slot = match S::into_value(guard.slot) {
            Ok((origin, value)) => {
                let ticket = self.yard.admit(Entry::new(origin, Stage::Alive));
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
        f.debug_struct("ReaperHandle").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}

impl Entry {
    /// Of a value that was adopted now.
    pub(crate) fn new<T>(origin: Origin<T>, stage: Stage) -> Self {
        Self {
            type_name: crate::type_name::of::<T>,
            created_at: origin.created_at(),
            since: Instant::now(),
            stage,
        }
    }
}
