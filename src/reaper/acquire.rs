//! `Acquire`: opens a guard for a reaper, even if the caller is cancelled.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::orphan::{Cleanup, start};
use super::registry::Registration;
use super::{Adoptable, ReaperHandle, Stage};
use crate::guard::{AdoptedSlot, Arms, Origin, Slot};
use crate::state::Armed;
use crate::{Adopted, AsyncDropGuard};

/// The future of [`Reaper::acquire`](crate::Reaper::acquire): opens a guard and adopts it.
///
/// # Cancel safety
///
/// If this is dropped after its first poll and before it is ready, the reaper finishes `open` and
/// cleans up its guard.
#[must_use = "futures do nothing unless awaited: dropping this opens nothing"]
pub struct Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    handle: ReaperHandle,
    /// Where `acquire` was called.
    origin: Origin<T>,
    step: Step<F>,
}

enum Step<F> {
    /// Not polled yet.
    New(F),
    /// Polled, so it is pinned on the heap: the reaper can take it over without moving it. There is
    /// no registration if the reaper was closed.
    Opening(Pin<Box<F>>, Option<Registration>),
    /// Ready, being polled, or panicked during a poll.
    Over,
}

impl<T, S, E, F> Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    pub(super) fn new(handle: ReaperHandle, origin: Origin<T>, open: F) -> Self {
        Self { handle, origin, step: Step::New(open) }
    }
}

/// `F` is pinned only once it is polled, and then it is in a box.
impl<T, S, E, F> Unpin for Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
}

impl<T, S, E, F> Future for Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    type Output = Result<AsyncDropGuard<T, Adopted>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut open, registration) = match std::mem::replace(&mut self.step, Step::Over) {
            Step::New(open) => (Box::pin(open), self.handle.register(self.origin, Stage::Opening)),
            Step::Opening(open, registration) => (open, registration),
            Step::Over => panic!("`Acquire` was polled after it was ready"),
        };
        // If `open` panics, both locals are dropped: the reaper does not wait for this value.
        let Poll::Ready(result) = open.as_mut().poll(cx) else {
            self.step = Step::Opening(open, registration);
            return Poll::Pending;
        };
        let slot = match result?.slot.take() {
            Ok((origin, value)) => {
                if let Some(registration) = &registration {
                    registration.update(|entry| entry.renew(origin));
                }
                AdoptedSlot::new(origin, value, registration)
            }
            Err(origin) => AdoptedSlot::done(origin),
        };
        Poll::Ready(Ok(AsyncDropGuard { slot }))
    }
}

impl<T, S, E, F> Drop for Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    fn drop(&mut self) {
        if let Step::Opening(open, Some(registration)) =
            std::mem::replace(&mut self.step, Step::Over)
        {
            // An abandoned reaper refuses it. Then the unfinished `open` is dropped here.
            let _refused = registration.orphan(Box::pin(async move {
                match open.await.ok().and_then(begin) {
                    Some(cleanup) => cleanup.await,
                    None => Ok(()),
                }
            }));
        }
    }
}

impl<T, S, E, F> fmt::Debug for Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").finish_non_exhaustive()
    }
}

/// Returns the cleanup of a guard that was opened after its caller was cancelled.
fn begin<T: Adoptable, S: Armed>(guard: AsyncDropGuard<T, S>) -> Option<Cleanup> {
    guard.slot.take().ok().map(|(_, value)| start(value))
}
