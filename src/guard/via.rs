//! `async_drop_via`: ends a guard by other means than its `AsyncDrop`.

use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use super::adopted::AdoptedSlot;
use super::checked::CheckedSlot;
use super::cleanup::Owes;
use super::live::CancelledBomb;
use super::origin::Origin;
use super::slot::Slot;
use crate::AsyncDrop;
use crate::hook::Cause;
use crate::panic::catch;
use crate::reaper::{Registration, Stage, finish};

/// A slot whose value a future of this type can end.
#[diagnostic::on_unimplemented(
    message = "`async_drop_via` must know what backs this guard",
    label = "a type parameter does not say whether a reaper must finish the ending",
    note = "name the backing: `ScopedGuard<'_, {T}>` without a reaper, `ScopedGuard<'_, {T}, Adopted>` with one",
    note = "or end the guard in the body of the scope, where the backing is known"
)]
pub trait EndsVia<T: AsyncDrop, Fut: Future>: Owes<T> {
    /// Calls `end` with the value when it is first polled, and awaits its future.
    fn end_via(self, end: impl FnOnce(T) -> Fut) -> impl Future<Output = Fut::Output>;
}

/// Why `take` succeeds: `async_drop_via` panics before if it would not.
const OWED: &str = "the value was there when `async_drop_via` was called";

#[diagnostic::do_not_recommend]
impl<T: AsyncDrop, Fut: Future> EndsVia<T, Fut> for CheckedSlot<T> {
    fn end_via(self, end: impl FnOnce(T) -> Fut) -> impl Future<Output = Fut::Output> {
        async move {
            let (origin, value) = self.take().ok().expect(OWED);
            let result;
            {
                // Nothing is armed while `end` is called. If it panics, that was the attempt.
                let ending = pin!(catch(end(value)));
                // Declared after the future: it reports before the guards inside the value do.
                let bomb = CancelledBomb(origin);
                result = ending.await;
                std::mem::forget(bomb);
            }
            // The future is dropped by now. If that panicked, `result` was dropped with its guards.
            result.unwrap_or_else(|payload| resume_unwind(payload))
        }
    }
}

// No `do_not_recommend`: it would hide that the future of the ending is not `Send`.
impl<T, Fut> EndsVia<T, Fut> for AdoptedSlot<T>
where
    T: AsyncDrop<Error: 'static>,
    Fut: Future + Send + 'static,
{
    fn end_via(mut self, end: impl FnOnce(T) -> Fut) -> impl Future<Output = Fut::Output> {
        async move {
            let is_wrapper = self.is_wrapper();
            // A wrapper borrows the registration of the guard inside.
            let registration = self.take_registration().filter(|_| !is_wrapper);
            let (origin, value) = self.take().ok().expect(OWED);
            if let Some(registration) = &registration {
                registration.set_stage(Stage::Cleaning);
            }
            let ending = Some(Box::pin(end(value)));
            let origin = (!is_wrapper).then_some(origin);
            AdoptedEnding { ending, registration, origin }.await
        }
    }
}

/// The future of `end`. If it is dropped before it has ended, the reaper finishes it.
struct AdoptedEnding<T, Fut: Future + Send + 'static> {
    /// `None` once it has ended, and during a poll. If that poll panics, it has ended.
    ending: Option<Pin<Box<Fut>>>,
    registration: Option<Registration>,
    /// `None` for a wrapper: the guards inside report themselves.
    origin: Option<Origin<T>>,
}

impl<T, Fut: Future + Send + 'static> Unpin for AdoptedEnding<T, Fut> {}

impl<T, Fut: Future + Send + 'static> Future for AdoptedEnding<T, Fut> {
    type Output = Fut::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Fut::Output> {
        let mut ending = self.ending.take().expect("a future is not polled after it was ready");
        let poll = ending.as_mut().poll(cx);
        if poll.is_pending() {
            self.ending = Some(ending);
        } else {
            // If one of these panics, `poll` is a local and is dropped, with the guards inside the output.
            drop(ending);
            drop(self.registration.take());
        }
        poll
    }
}

impl<T, Fut: Future + Send + 'static> Drop for AdoptedEnding<T, Fut> {
    fn drop(&mut self) {
        let Some(ending) = self.ending.take() else { return };
        match (self.registration.take(), self.origin) {
            (Some(mut registration), _) => {
                registration.orphan(finish(ending), Cause::CancelledInCleanup);
            }
            (None, Some(origin)) => origin.report_without_reaper(Cause::CancelledInCleanup),
            (None, None) => {}
        }
    }
}
