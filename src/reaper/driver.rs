//! The drivers, which poll the cleanups of orphans: every `Run` and every `Drain`.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::task::{ArcWake, waker_ref};

use super::inner::{Next, ROUND, RoundEnd, Taken};
use super::registry::Registry;
use super::slab::Key;
use super::{CleanupTask, Report};
use crate::shim::{SyncWrapper, ThreadId, thread_id};

/// Polls orphans, one round at a time. Dropping it removes it from the registry.
struct Driver {
    registry: Arc<Registry>,
    id: u64,
    is_run: bool,
    /// The wakers of orphans that have ended, for others. There are at most `ROUND`.
    spare_wakers: Vec<Arc<OrphanWaker>>,
}

/// Wakes one orphan.
pub(super) struct OrphanWaker {
    registry: Arc<Registry>,
    key: Key,
}

impl ArcWake for OrphanWaker {
    fn wake_by_ref(this: &Arc<Self>) {
        this.registry.wake(this.key);
    }
}

/// Notes the end of a round, also if a waker panics.
struct StopPollingOnDrop<'a> {
    registry: &'a Registry,
    thread: ThreadId,
}

impl Drop for StopPollingOnDrop<'_> {
    fn drop(&mut self) {
        self.registry.stop_polling(self.thread);
    }
}

impl Driver {
    fn new(registry: &Arc<Registry>, is_run: bool) -> Self {
        let id = registry.add_driver(is_run);
        Self { registry: Arc::clone(registry), id, is_run, spare_wakers: Vec::new() }
    }

    /// Polls the orphans that are ready now, but not more than one round.
    fn round(&mut self, cx: &mut Context<'_>, mut spawner: Option<&mut Spawner>) -> RoundEnd {
        let registry = Arc::clone(&self.registry);
        let thread = thread_id();
        let mut round = registry.begin_round(self.is_run, thread);
        let polling = StopPollingOnDrop { registry: &registry, thread };
        let mut orphan = None;
        while let Some(next) = registry.step(&mut orphan, &mut round, spawner.is_some()) {
            match next {
                Next::Poll => {
                    self.poll(orphan.as_mut().expect("`step` has taken an orphan"));
                }
                Next::Spawn(key) => {
                    let spawn = spawner.as_mut().expect("`step` was told that there is a spawner");
                    spawn(CleanupTask::new(&registry, key));
                }
            }
        }
        drop(polling);
        registry.end_round(self.id, thread, cx.waker().clone())
    }

    #[inline]
    fn poll(&mut self, taken: &mut Taken) {
        let waker = taken.waker.take().unwrap_or_else(|| self.waker(taken.key));
        taken.poll(&mut Context::from_waker(&waker_ref(&waker)));
        if taken.cleanup.is_some() {
            taken.waker = Some(waker);
            return;
        }
        self.keep(waker);
        self.registry.report_failure(taken);
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

    /// Keeps the waker of an orphan that has ended.
    #[inline]
    fn keep(&mut self, waker: Arc<OrphanWaker>) {
        if self.spare_wakers.len() < ROUND {
            self.spare_wakers.push(waker);
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.registry.remove_driver(self.id);
    }
}

type Spawner = Box<dyn FnMut(CleanupTask) + Send>;

/// The future of [`Reaper::run`](crate::Reaper::run) and [`run_with`](crate::Reaper::run_with): cleans up
/// orphans as they come.
///
/// # Panics
///
/// If the spawner of `run_with` panics. Then this future has ended.
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
        match driver.round(cx, spawner) {
            RoundEnd::Empty { closed: true } => return Poll::Ready(()),
            RoundEnd::Ready => yield_now(cx),
            RoundEnd::Waiting | RoundEnd::Empty { closed: false } => {}
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
        match self.driver.round(cx, None) {
            RoundEnd::Empty { .. } => {
                if let Some(report) = self.driver.registry.report_if_empty() {
                    return Poll::Ready(report);
                }
            }
            RoundEnd::Ready => cx.waker().wake_by_ref(),
            RoundEnd::Waiting => {}
        }
        Poll::Pending
    }
}

impl fmt::Debug for Drain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").finish_non_exhaustive()
    }
}
