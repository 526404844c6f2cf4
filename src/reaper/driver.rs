//! The drivers, which poll the cleanups of orphans: every `Run` and every `Drain`.

use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::{FutureExt, StreamExt};

use super::Report;
use super::registry::Registry;
use crate::panic::{caught, drop_payload};
use crate::shim::Mutex;

/// The wakers of all drivers.
///
/// Every event wakes all of them: a single waker could belong to a `drain` that is not polled any
/// more, while a `run` waits.
#[derive(Default)]
pub(super) struct WakerSet {
    wakers: Mutex<Vec<Waker>>,
}

impl WakerSet {
    /// Stores the waker until the next `wake_all`.
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
        // `wake` is code of an executor: never call it under the lock.
        drop(waiting);
        // If a waker panics, the other drivers must be woken nevertheless.
        let panics = wakers.into_iter().filter_map(|waker| caught(|| waker.wake()).err());
        let first_panic = panics.reduce(|first, other| {
            drop_payload(other);
            first
        });
        match first_panic {
            Some(payload) if std::thread::panicking() => drop_payload(payload),
            Some(payload) => resume_unwind(payload),
            None => {}
        }
    }
}

impl Wake for WakerSet {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}

impl Registry {
    /// Polls the ready orphans, unless another driver is polling them.
    fn drive(&self, cx: &mut Context<'_>) {
        self.wakers.register(cx.waker());
        let Some(mut running) = self.try_running() else { return };
        let waker = Waker::from(Arc::clone(&self.wakers));
        let mut cx = Context::from_waker(&waker);
        // An orphan that arrives during this loop, even from one of the cleanups, wakes this driver
        // again.
        for mut orphan in self.take_incoming() {
            // Most cleanups end at their first poll: do not allocate a place for them.
            match orphan.poll_unpin(&mut cx) {
                Poll::Ready(completed) => self.complete(completed),
                Poll::Pending => running.push(orphan),
            }
        }
        while let Poll::Ready(Some(completed)) = running.poll_next_unpin(&mut cx) {
            self.complete(completed);
        }
        if self.is_abandoned() {
            let discarded = std::mem::take(&mut *running);
            drop(running);
            for orphan in discarded {
                let _named_by_abandon = orphan.discard();
            }
        }
    }
}

/// The future of [`Reaper::run`](crate::Reaper::run): cleans up orphans as they come.
#[must_use = "futures do nothing unless polled: dropping this leaves orphans to `drain`"]
pub struct Run {
    registry: Arc<Registry>,
}

impl Run {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        registry.add_driver();
        Self { registry }
    }
}

impl Future for Run {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.registry.drive(cx);
        if self.registry.is_finished() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.registry.remove_driver();
        // This driver may have been woken for an orphan that it did not poll yet.
        self.registry.wakers.wake_all();
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}

/// The future of [`Reaper::drain`](crate::Reaper::drain): waits until every adopted value is
/// cleaned up.
#[must_use = "futures do nothing unless awaited: dropping this does not wait for any cleanup"]
pub struct Drain<'a> {
    registry: &'a Registry,
}

impl<'a> Drain<'a> {
    pub(super) fn new(registry: &'a Registry) -> Self {
        Self { registry }
    }
}

impl Future for Drain<'_> {
    type Output = Report;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        self.registry.drive(cx);
        if self.registry.is_empty() {
            Poll::Ready(self.registry.take_report())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Drain<'_> {
    fn drop(&mut self) {
        self.registry.wakers.wake_all();
    }
}

impl fmt::Debug for Drain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").finish_non_exhaustive()
    }
}
