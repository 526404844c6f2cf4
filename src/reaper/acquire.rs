//! Opening what is adopted, shielded from the cancellation of whoever waits for it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::orphan::{Cleanup, start};
use super::registry::Registration;
use super::{Adoptable, ReaperHandle, Stage};
use crate::guard::{AdoptedSlot, Origin, Owes, Slot};
use crate::state::Armed;
use crate::{Adopted, AsyncDropGuard};

/// A guard that is being opened for a reaper; see [`Reaper::acquire`](crate::Reaper::acquire).
///
/// # Cancel safety
///
/// Dropped after its first poll and before it is ready, it leaves `open` to the reaper, which
/// finishes it and cleans up what it gives.
#[must_use = "futures do nothing unless awaited: nothing is opened"]
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
    /// Never polled.
    New(F),
    /// Polled, and where the reaper can take it over: it does not move again. The registration is
    /// missing if the reaper was closed.
    Opening(Pin<Box<F>>, Option<Registration>),
    /// Ready, or in its `poll`, or panicked there.
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

/// Pinned on the heap from its first poll on, and never before.
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
            Step::Over => panic!("a future is not polled after it was ready"),
        };
        // From here on a panic drops both.
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
            // Refused if the reaper has given up; what is half-open is dropped then.
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

/// The cleanup of what was opened for somebody who has gone.
fn begin<T: Adoptable, S: Armed>(guard: AsyncDropGuard<T, S>) -> Option<Cleanup> {
    guard.slot.take().ok().map(|(_, value)| start(value))
}
