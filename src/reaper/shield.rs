//! `Shield`: a future that runs to its end, even if its caller is cancelled.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{ReaperHandle, Registration, Stage, finish};
use crate::guard::Origin;
use crate::hook::Cause;

/// The future of [`ReaperHandle::shield`].
///
/// # Cancel safety
///
/// If this is dropped after its first poll and before it is ready, the reaper polls the shielded future to
/// its end and drops the output.
#[must_use = "futures do nothing unless awaited: dropping this before its first poll runs nothing"]
pub struct Shield<F: Future + Send + 'static> {
    handle: ReaperHandle,
    /// Where `shield` was called.
    origin: Origin<F>,
    step: Step<F>,
}

enum Step<F> {
    /// Not polled yet.
    New(F),
    /// There is no registration if the reaper was closed.
    Running(Pin<Box<F>>, Option<Registration>),
    /// Ready, being polled, or panicked during a poll.
    Over,
}

impl<F: Future + Send + 'static> Shield<F> {
    pub(super) fn new(handle: ReaperHandle, origin: Origin<F>, future: F) -> Self {
        Self { handle, origin, step: Step::New(future) }
    }

    /// Registers the future that `make` returns. `make` is told whether the reaper shields it.
    pub(crate) fn begun(
        handle: ReaperHandle,
        origin: Origin<F>,
        make: impl FnOnce(bool) -> F,
    ) -> Self {
        let registration = handle.register(origin, Stage::Shielded);
        let future = make(registration.is_some());
        Self { handle, origin, step: Step::Running(Box::pin(future), registration) }
    }
}

/// `F` is pinned only once it is polled, and then it is in a box.
impl<F: Future + Send + 'static> Unpin for Shield<F> {}

impl<F: Future + Send + 'static> Future for Shield<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let (mut future, registration) = match std::mem::replace(&mut self.step, Step::Over) {
            Step::New(future) => {
                (Box::pin(future), self.handle.register(self.origin, Stage::Shielded))
            }
            Step::Running(future, registration) => (future, registration),
            Step::Over => panic!("`Shield` was polled after it was ready"),
        };
        // If the future panics, both locals are dropped: the reaper does not wait for it.
        let poll = future.as_mut().poll(cx);
        if poll.is_pending() {
            self.step = Step::Running(future, registration);
        } else {
            // If one of these panics, `poll` is a local and is dropped, with the guards inside the output.
            drop(future);
            drop(registration);
        }
        poll
    }
}

impl<F: Future + Send + 'static> Drop for Shield<F> {
    fn drop(&mut self) {
        if let Step::Running(future, Some(mut registration)) =
            std::mem::replace(&mut self.step, Step::Over)
        {
            registration.orphan(finish(future), Cause::ReaperGone);
        }
    }
}

impl<F: Future + Send + 'static> fmt::Debug for Shield<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shield").finish_non_exhaustive()
    }
}
