//! Opening what is adopted, shielded from the cancellation of whoever waits for it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::books::Ticket;
use super::{Cleanup, ReaperHandle, Stage, start};
use crate::bomb::Origin;
use crate::guard::AdoptedSlot;
use crate::{Adopted, Armed, AsyncDropGuard, CanAdopt};

/// A guard that is being opened for a reaper; see [`Reaper::acquire`](crate::Reaper::acquire).
///
/// # Cancel safety
///
/// Dropped after its first poll and before it is ready, it leaves `open` to the reaper, which
/// finishes it and cleans up what it gives.
#[must_use = "futures do nothing unless awaited: nothing is opened"]
pub struct Acquire<T, S, E, F>
where
    T: CanAdopt,
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
    /// Polled, and where the reaper can take it over: it does not move again. The ticket is
    /// missing if the reaper was closed.
    Opening(Pin<Box<F>>, Option<Ticket>),
    /// Ready, or in its `poll`, or panicked there.
    Over,
}

impl<T, S, E, F> Acquire<T, S, E, F>
where
    T: CanAdopt,
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
    T: CanAdopt,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
}

impl<T, S, E, F> Future for Acquire<T, S, E, F>
where
    T: CanAdopt,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    type Output = Result<AsyncDropGuard<T, Adopted>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut open, ticket) = match std::mem::replace(&mut self.step, Step::Over) {
            Step::New(open) => (Box::pin(open), self.handle.admit(self.origin, Stage::Opening)),
            Step::Opening(open, ticket) => (open, ticket),
            Step::Over => panic!("a future is not polled after it was ready"),
        };
        // From here on a panic drops both.
        let Poll::Ready(result) = open.as_mut().poll(cx) else {
            self.step = Step::Opening(open, ticket);
            return Poll::Pending;
        };
        let slot = match S::into_value(result?.slot) {
            Ok((origin, value)) => {
                if let Some(ticket) = &ticket {
                    ticket.update(|entry| entry.renew(origin));
                }
                AdoptedSlot::new(origin, value, ticket)
            }
            Err(origin) => AdoptedSlot::done(origin),
        };
        Poll::Ready(Ok(AsyncDropGuard { slot }))
    }
}

impl<T, S, E, F> Drop for Acquire<T, S, E, F>
where
    T: CanAdopt,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    fn drop(&mut self) {
        if let Step::Opening(open, Some(ticket)) = std::mem::replace(&mut self.step, Step::Over) {
            // Refused if the reaper has given up; what is half-open is dropped then.
            let _refused = ticket.hand_over(Box::pin(async move {
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
    T: CanAdopt,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").finish_non_exhaustive()
    }
}

/// The cleanup of what was opened for somebody who has gone.
fn begin<T: CanAdopt, S: Armed>(guard: AsyncDropGuard<T, S>) -> Option<Cleanup> {
    S::into_value(guard.slot).ok().map(|(_, value)| start(value))
}
