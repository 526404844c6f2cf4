//! Who polls the cleanups of orphans: every `Run` and every `Drain`, whoever comes.

use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::{FutureExt, StreamExt};

use super::{Report, Yard};
use crate::caught::{caught, discard};
use crate::sync::Mutex;

/// Those who wait for something to happen. Whatever happens wakes them all: a single waker would
/// be that of a parked `drain`, say, while `run` is to go on.
#[derive(Default)]
pub(super) struct Drivers {
    wakers: Mutex<Vec<Waker>>,
}

impl Drivers {
    /// Until the next `wake_all`.
    fn register(&self, waker: &Waker) {
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }

    pub(super) fn wake_all(&self) {
        let mut waiting = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return;
        }
        let wakers = std::mem::take(&mut *waiting);
        // To wake runs code of an executor: not under the lock.
        drop(waiting);
        // One that panics keeps nobody asleep, and does not abort a thread that unwinds.
        let panics = wakers.into_iter().filter_map(|waker| caught(|| waker.wake()).err());
        if let Some(first) = panics.reduce(|first, other| {
            discard(other);
            first
        }) {
            if std::thread::panicking() {
                discard(first);
            } else {
                resume_unwind(first);
            }
        }
    }
}

impl Wake for Drivers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}

impl Yard {
    /// Polls the orphans that are to be polled, unless somebody else does.
    fn drive(&self, cx: &mut Context<'_>) {
        self.drivers.register(cx.waker());
        let Some(mut running) = self.try_running() else { return };
        let waker = Waker::from(Arc::clone(&self.drivers));
        let mut cx = Context::from_waker(&waker);
        // What is handed over meanwhile, by a cleanup perhaps, wakes this driver again.
        for mut job in self.take_inbox() {
            // Only what waits is worth its place among those that do; it is polled once more there.
            match job.poll_unpin(&mut cx) {
                Poll::Ready(ended) => self.ended(ended),
                Poll::Pending => running.push(job),
            }
        }
        while let Poll::Ready(Some(ended)) = running.poll_next_unpin(&mut cx) {
            self.ended(ended);
        }
        if self.is_abandoned() {
            let given_up = std::mem::take(&mut *running);
            drop(running);
            for job in given_up {
                let _reported_by_abandon = job.give_up();
            }
        }
    }
}

/// Cleans orphans up as they come; see [`Reaper::run`](crate::Reaper::run).
#[must_use = "futures do nothing unless polled: spawn it, or orphans wait for `drain`"]
pub struct Run {
    yard: Arc<Yard>,
}

impl Run {
    pub(super) fn new(yard: Arc<Yard>) -> Self {
        yard.join();
        Self { yard }
    }
}

impl Future for Run {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.yard.drive(cx);
        if self.yard.is_over() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.yard.leave();
        // The others take over what this one was woken for.
        self.yard.drivers.wake_all();
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}

/// Waits until nothing adopted is left; see [`Reaper::drain`](crate::Reaper::drain).
#[must_use = "futures do nothing unless awaited: nothing is waited for"]
pub struct Drain<'a> {
    yard: &'a Yard,
}

impl<'a> Drain<'a> {
    pub(super) fn new(yard: &'a Yard) -> Self {
        Self { yard }
    }
}

impl Future for Drain<'_> {
    type Output = Report;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        self.yard.drive(cx);
        if self.yard.is_empty() { Poll::Ready(self.yard.take_report()) } else { Poll::Pending }
    }
}

impl Drop for Drain<'_> {
    fn drop(&mut self) {
        self.yard.drivers.wake_all();
    }
}

impl fmt::Debug for Drain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").finish_non_exhaustive()
    }
}
