//! Cleanups that use the reaper that polls them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, panic_of, wait,
};
use async_trait::async_trait;
use futures::FutureExt;
use livedrop::reaper::{Report, Stage};
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Reaper, ReaperHandle};

/// Its cleanup waits, and then calls `action` with the reaper that polls it.
struct Reentering<F> {
    reaper: Arc<AsyncDropGuard<Reaper>>,
    waits: usize,
    action: F,
    log: Arc<Log>,
}

#[async_trait]
impl<F: FnMut(&Reaper) + Send> AsyncDrop for Reentering<F> {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        wait(self.waits).await;
        (self.action)(&self.reaper);
        Resource::new(&self.log, 0, Ending::Err).async_drop_impl().await
    }
}

/// A reaper that its cleanups can use, and the log of their values.
fn shared() -> (Arc<AsyncDropGuard<Reaper>>, Arc<Log>) {
    (Arc::new(Reaper::new()), Arc::default())
}

fn close(reaper: Arc<AsyncDropGuard<Reaper>>) -> Result<(), Report> {
    block_on(Arc::into_inner(reaper).expect("the values are gone").async_drop())
}

#[test]
fn drain_inside_a_cleanup_loses_no_orphan() {
    let ((reaper, log), reports) = (shared(), Reports::collect());
    let action = |reaper: &Reaper| cancel_after(1, reaper.drain());
    for waits in [0, 2] {
        let (log, reaper) = (Arc::clone(&log), Arc::clone(&reaper));
        let value = Reentering { reaper: Arc::clone(&reaper), waits, action, log };
        drop(reaper.adopt(AsyncDropGuard::new(value)));
    }
    let report = block_on(reaper.drain());
    assert_eq!((report.cleaned, report.failures.len()), (2, 2));
    assert_eq!(log.counts(), (2, 2, 2));
    close(reaper).unwrap();
    reports.expect_none();
}

#[test]
fn abandon_inside_a_cleanup_names_every_orphan_once() {
    for waits in [0, 2] {
        let ((reaper, log), reports) = (shared(), Reports::collect());
        let report = Arc::<Mutex<Option<Report>>>::default();
        let sink = Arc::clone(&report);
        let action = move |reaper: &Reaper| *sink.lock().unwrap() = Some(reaper.abandon());
        drop(reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 9, Ending::Ok))));
        let value =
            Reentering { reaper: Arc::clone(&reaper), waits, action, log: Arc::clone(&log) };
        drop(reaper.adopt(AsyncDropGuard::new(value)));

        let after = block_on(reaper.drain());
        assert_eq!((after.cleaned, after.failures.len()), (1, 1), "the one that was being polled");
        let report = report.lock().unwrap().take().expect("it was abandoned");
        let stages: Vec<_> = report.abandoned.iter().map(|entry| entry.stage).collect();
        assert_eq!(stages, [Stage::Orphaned]);
        assert!(report.failures.is_empty());
        assert_eq!(log.counts(), (2, 1, 2), "the one that waits is dropped, half-run");
        close(reaper).unwrap();
        reports.expect_none();
    }
}

#[test]
fn finished_acquire_is_not_polled_again() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let value = Resource::new(&log, 0, Ending::Ok);
    let mut acquire = reaper.acquire(async { Ok::<_, Failed>(AsyncDropGuard::new(value)) });
    let mut adopted = block_on(&mut acquire).unwrap();
    let text = panic_of(|| block_on(&mut acquire).is_ok());
    assert_eq!(text, "`Acquire` was polled after it was ready");
    block_on(adopted.async_drop()).unwrap();
    drop(acquire);
    block_on(reaper.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
}

/// A waker that panics, as the waker of a dropped executor may.
struct PanickingWaker;

impl Wake for PanickingWaker {
    fn wake(self: Arc<Self>) {
        panic!("the waker panics");
    }
}

/// A waker that counts its calls.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn panicking_waker_does_not_stop_other_wakers() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let guard = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 0, Ending::Ok)));
    let (panicking, counting) = (Waker::from(Arc::new(PanickingWaker)), Arc::<Counting>::default());
    let waker = Waker::from(Arc::clone(&counting));
    let mut drains = [reaper.drain(), reaper.drain(), reaper.drain()];
    for (drain, waker) in drains.iter_mut().zip([&panicking, &waker, &panicking]) {
        assert!(drain.poll_unpin(&mut Context::from_waker(waker)).is_pending());
    }
    assert_eq!(panic_of(|| drop(guard)), "the waker panics");
    assert_eq!(counting.0.load(Ordering::Relaxed), 1);
    drop(drains);
    assert_eq!(block_on(reaper.drain()).cleaned, 1);
    block_on(reaper.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn waker_panic_does_not_join_the_owners_panic() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let guard = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 0, Ending::Ok)));
    let panicking = Waker::from(Arc::new(PanickingWaker));
    let (mut drain, mut run) = (reaper.drain(), Box::pin(reaper.run()));
    assert!(drain.poll_unpin(&mut Context::from_waker(&panicking)).is_pending());
    let text = panic_of(|| {
        let (_run, _guard) = (&mut run, guard);
        panic!("of the owner");
    });
    assert_eq!(text, "of the owner");
    drop((drain, run));
    assert_eq!(block_on(reaper.drain()).cleaned, 1);
    block_on(reaper.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
}

/// Cleans up the last value of `reaper`, `guard`, by a `run` that wakes a waker that panics.
fn run_with_panicking_waker(reaper: &Reaper, guard: AsyncDropGuard<Resource, Adopted>) {
    let waker = Waker::from(Arc::new(PanickingWaker));
    let (mut run, mut drain) = (reaper.run(), reaper.drain());
    assert!(drain.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
    drop(guard);
    let mut cx = Context::from_waker(Waker::noop());
    let text = panic_of(|| run.poll_unpin(&mut cx).is_ready());
    assert_eq!(text, "the waker panics");
}

#[test]
fn reaper_works_after_a_waker_panicked() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let adopted = || reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 0, Ending::Ok)));
    run_with_panicking_waker(&reaper, adopted());
    assert_eq!(log.counts(), (1, 1, 1));
    drop((adopted(), adopted()));
    assert_eq!(block_on(reaper.drain()).cleaned, 3);
    assert_eq!(log.counts(), (3, 3, 3));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn abandon_drops_half_run_orphans_after_waker_panic() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let guard = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 0, Ending::Ok)));
    run_with_panicking_waker(&reaper, guard);

    let hangs = AsyncDropGuard::with_cleanup(Resource::plain(&log), |resource| async move {
        std::future::pending::<()>().await;
        drop(resource);
    });
    drop(reaper.adopt(hangs));
    cancel_after(1, reaper.drain());
    let report = reaper.abandon();
    assert_eq!(report.abandoned.len(), 1);
    assert_eq!(log.counts(), (1, 1, 2), "it is dropped at once");
    block_on(reaper.async_drop()).unwrap();
}

/// Looks at the reaper in its `Drop`.
struct Looking(ReaperHandle);

impl Wake for Looking {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Looking {
    fn drop(&mut self) {
        let _ = self.0.pending();
    }
}

#[test]
fn waker_may_use_the_reaper_in_its_drop() {
    let mut reaper = Reaper::new();
    let mut run = reaper.run();
    for _ in 0..3 {
        // Each poll drops the waker of the poll before.
        let waker = Waker::from(Arc::new(Looking(reaper.handle())));
        assert!(run.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(run);
    block_on(reaper.async_drop()).unwrap();
}
