//! The drivers, which poll the cleanups of orphans: every `Run` and every `Drain`.

use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::task::{ArcWake, waker_ref};

use super::orphan::Orphan;
use super::registry::{ROUND, Registry, Round};
use super::slab::Key;
use super::{CleanupTask, Report};
use crate::panic::caught;
use crate::shim::{SyncWrapper, thread_id};

/// Polls orphans, one round at a time. Dropping it removes it from the registry.
struct Driver {
    registry: Arc<Registry>,
    id: u64,
    /// The wakers of orphans that have ended, for later orphans. There are at most `ROUND`.
    spare_wakers: Vec<Arc<OrphanWaker>>,
}

/// Wakes one orphan.
pub(super) struct OrphanWaker {
    registry: Arc<Registry>,
    key: Key,
}

impl ArcWake for OrphanWaker {
    fn wake_by_ref(this: &Arc<Self>) {
        this.registry.update(|inner| inner.wake(this.key));
    }
}

impl Driver {
    fn new(registry: &Arc<Registry>, is_run: bool) -> Self {
        let id = registry.update(|inner| inner.add_driver(is_run));
        Self { registry: Arc::clone(registry), id, spare_wakers: Vec::new() }
    }

    /// Polls the orphans that are ready now, but not more than one round. Returns whether more are ready.
    fn round(&mut self, cx: &mut Context<'_>, spawner: Option<&mut Spawner>) -> bool {
        let (waker, thread) = (cx.waker().clone(), thread_id());
        let round = self.registry.update(|inner| inner.begin_round(self.id, thread));
        // A spawner or a waker may panic.
        let polled = caught(|| self.poll_ready(round, spawner));
        let is_ready = self.registry.update(|inner| inner.end_round(self.id, thread, waker));
        polled.unwrap_or_else(|payload| resume_unwind(payload));
        is_ready
    }

    fn poll_ready(&mut self, mut round: Round, spawner: Option<&mut Spawner>) {
        let to_spawn = if spawner.is_some() { std::mem::take(&mut round.fresh) } else { 0 };
        let mut orphan = None;
        // The last call settles the last poll, and takes nothing.
        while self.registry.update(|inner| inner.settle_and_take_next(&mut orphan, &mut round)) {
            self.poll(orphan.as_mut().expect("an orphan was taken"));
        }
        let Some(spawn) = spawner else { return };
        (0..to_spawn).map_while(|_| CleanupTask::next(&self.registry)).for_each(spawn);
    }

    #[inline]
    fn poll(&mut self, orphan: &mut Orphan) {
        let waker = orphan.waker.take().unwrap_or_else(|| self.waker(orphan.key));
        orphan.poll(&self.registry, &mut Context::from_waker(&waker_ref(&waker)));
        if orphan.cleanup.is_some() {
            orphan.waker = Some(waker);
        } else if self.spare_wakers.len() < ROUND {
            self.spare_wakers.push(waker);
        }
    }

    /// Returns a waker for an orphan: a spare one, if nobody else has it.
    #[inline]
    fn waker(&mut self, key: Key) -> Arc<OrphanWaker> {
        if let Some(mut spare) = self.spare_wakers.pop() {
            if let Some(waker) = Arc::get_mut(&mut spare) {
                waker.key = key;
                return spare;
            }
        }
        Arc::new(OrphanWaker { registry: Arc::clone(&self.registry), key })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.registry.update(|inner| inner.remove_driver(self.id));
    }
}

type Spawner = Box<dyn FnMut(CleanupTask) + Send>;

/// The future of [`Reaper::run`](crate::Reaper::run) and [`run_with`](crate::Reaper::run_with): cleans up
/// orphans as they come.
///
/// # Panics
///
/// If the spawner of `run_with` panics. Then this future has ended.
///
/// # Cancel safety
///
/// Cancel safe: other `Run`s and every `drain` continue its work. If the reaper is gone and this is the last
/// `Run`, dropping it loses the remaining orphans, and reports them.
#[must_use = "futures do nothing unless polled: a `Run` that is kept and not polled stops every `drain`"]
pub struct Run {
    /// `None` once it has ended.
    driver: Option<Driver>,
    spawner: Option<SyncWrapper<Spawner>>,
}

impl Run {
    pub(super) fn new(registry: &Arc<Registry>, spawner: Option<Spawner>) -> Self {
        let driver = Some(Driver::new(registry, true));
        Self { driver, spawner: spawner.map(SyncWrapper::new) }
    }
}

impl Future for Run {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // It is put back below, unless it has ended or panics.
        let Some(mut driver) = self.driver.take() else { return Poll::Ready(()) };
        let spawner = self.spawner.as_mut().map(SyncWrapper::get_mut);
        let spawns = spawner.is_some();
        let is_ready = driver.round(cx, spawner);
        if driver.registry.update(|inner| inner.closed && inner.entries.is_empty()) {
            return Poll::Ready(());
        }
        if is_ready && spawns {
            // With `yield_now`, tokio would poll the spawned cleanup first. If that blocks, this driver would wait.
            cx.waker().wake_by_ref();
        } else if is_ready {
            yield_now(cx);
        }
        self.driver = Some(driver);
        Poll::Pending
    }
}

/// Wakes the task after others had their turn.
///
/// Tokio looks at timers and sockets only every few dozen polls, unless a task yields by its own function.
fn yield_now(cx: &mut Context<'_>) {
    #[cfg(feature = "tokio")]
    let _pending = std::pin::pin!(tokio::task::yield_now()).poll(cx);
    #[cfg(not(feature = "tokio"))]
    cx.waker().wake_by_ref();
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}

/// The future of [`Reaper::drain`](crate::Reaper::drain): waits until every adopted value is
/// cleaned up.
///
/// # Cancel safety
///
/// Cancel safe: the next `drain` continues to wait.
#[must_use = "futures do nothing unless awaited: dropping this does not wait for any cleanup"]
pub struct Drain<'a> {
    driver: Driver,
    reaper: PhantomData<&'a Registry>,
}

impl Drain<'_> {
    pub(super) fn new(registry: &Arc<Registry>) -> Self {
        Self { driver: Driver::new(registry, false), reaper: PhantomData }
    }
}

impl Future for Drain<'_> {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        let is_ready = self.driver.round(cx, None);
        let ended = self
            .driver
            .registry
            .update(|inner| inner.entries.is_empty().then(|| std::mem::take(&mut inner.ended)));
        if let Some(ended) = ended {
            return Poll::Ready(ended.into_report());
        }
        if is_ready {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl fmt::Debug for Drain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").finish_non_exhaustive()
    }
}
