//! A reaper that is used from inside of the cleanups that it runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, panic_of, wait,
};
use async_trait::async_trait;
use futures::FutureExt;
use livedrop::reaper::{Report, Stage};
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper};

/// A value whose cleanup waits, and does this with the reaper that runs it.
struct Meddling<F> {
    reaper: Arc<AsyncDropGuard<Reaper>>,
    waits: usize,
    meddle: F,
    log: Arc<Log>,
}

#[async_trait]
impl<F: FnMut(&Reaper) + Send> AsyncDrop for Meddling<F> {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        wait(self.waits).await;
        (self.meddle)(&self.reaper);
        Resource::new(&self.log, 0, Ending::Err).async_drop_impl().await
    }
}

/// A reaper that can be used while it runs, and what is in the end to be cleaned up.
fn shared() -> (Arc<AsyncDropGuard<Reaper>>, Arc<Log>) {
    (Arc::new(Reaper::new()), Arc::default())
}

fn close(reaper: Arc<AsyncDropGuard<Reaper>>) -> Result<(), Report> {
    block_on(Arc::into_inner(reaper).expect("the values are gone").async_drop())
}

#[test]
fn a_cleanup_that_drains_leaves_the_work_to_whoever_runs_it() {
    let ((reaper, log), reports) = (shared(), Reports::collect());
    let meddle = |reaper: &Reaper| cancel_after(1, reaper.drain());
    for waits in [0, 2] {
        let (log, reaper) = (Arc::clone(&log), Arc::clone(&reaper));
        let value = Meddling { reaper: Arc::clone(&reaper), waits, meddle, log };
        drop(reaper.adopt(AsyncDropGuard::new(value)));
    }
    let report = block_on(reaper.drain());
    assert_eq!((report.cleaned, report.failures.len()), (2, 2));
    assert_eq!(log.counts(), (2, 2, 2));
    close(reaper).unwrap();
    reports.expect_none();
}

#[test]
fn a_cleanup_that_gives_up_takes_the_others_with_it_and_ends_unreported() {
    for waits in [0, 2] {
        let ((reaper, log), reports) = (shared(), Reports::collect());
        let given_up = Arc::<Mutex<Option<Report>>>::default();
        let sink = Arc::clone(&given_up);
        let meddle = move |reaper: &Reaper| *sink.lock().unwrap() = Some(reaper.abandon());
        drop(reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 9, Ending::Ok))));
        let value = Meddling { reaper: Arc::clone(&reaper), waits, meddle, log: Arc::clone(&log) };
        drop(reaper.adopt(AsyncDropGuard::new(value)));

        let after = block_on(reaper.drain());
        assert_eq!((after.cleaned, after.failures.len()), (0, 0), "abandon has named both");
        let given_up = given_up.lock().unwrap().take().expect("it was abandoned");
        let stages: Vec<_> = given_up.abandoned.iter().map(|entry| entry.stage).collect();
        assert_eq!(stages, [Stage::Orphaned; 2]);
        assert!(given_up.failures.is_empty());
        assert_eq!(log.counts(), (2, 1, 2), "the one that waits is dropped, half-run");
        close(reaper).unwrap();
        reports.expect_none();
    }
}

#[test]
fn what_was_acquired_is_not_polled_again() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let value = Resource::new(&log, 0, Ending::Ok);
    let mut acquire = reaper.acquire(async { Ok::<_, Failed>(AsyncDropGuard::new(value)) });
    let mut adopted = block_on(&mut acquire).unwrap();
    let text = panic_of(|| block_on(&mut acquire).is_ok());
    assert_eq!(text, "a future is not polled after it was ready");
    block_on(adopted.async_drop()).unwrap();
    drop(acquire);
    block_on(reaper.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
}

/// The waker of an executor that has gone.
struct NobodyThere;

impl Wake for NobodyThere {
    fn wake(self: Arc<Self>) {
        panic!("nobody is there");
    }
}

/// An executor that counts.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_waker_that_panics_keeps_nobody_asleep() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let guard = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 0, Ending::Ok)));
    let (gone, counting) = (Waker::from(Arc::new(NobodyThere)), Arc::<Counting>::default());
    let waker = Waker::from(Arc::clone(&counting));
    let mut drains = [reaper.drain(), reaper.drain(), reaper.drain()];
    for (drain, waker) in drains.iter_mut().zip([&gone, &waker, &gone]) {
        assert!(drain.poll_unpin(&mut Context::from_waker(waker)).is_pending());
    }
    assert_eq!(panic_of(|| drop(guard)), "nobody is there");
    assert_eq!(counting.0.load(Ordering::Relaxed), 1);
    drop(drains);
    assert_eq!(block_on(reaper.drain()).cleaned, 1);
    block_on(reaper.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn a_panic_of_the_owner_is_not_joined_by_one_of_a_waker() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let guard = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 0, Ending::Ok)));
    let gone = Waker::from(Arc::new(NobodyThere));
    let (mut drain, mut run) = (reaper.drain(), Box::pin(reaper.run()));
    assert!(drain.poll_unpin(&mut Context::from_waker(&gone)).is_pending());
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

/// Has the last orphan of `reaper` cleaned up by somebody whose waker panics then.
fn drain_by_nobody(reaper: &Reaper) {
    let waker = Waker::from(Arc::new(NobodyThere));
    let mut drain = reaper.drain();
    let text = panic_of(|| drain.poll_unpin(&mut Context::from_waker(&waker)).is_ready());
    assert_eq!(text, "nobody is there");
}

#[test]
fn a_waker_that_panics_leaves_a_reaper_that_goes_on() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let orphan = || drop(reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 0, Ending::Ok))));
    orphan();
    drain_by_nobody(&reaper);
    assert_eq!(log.counts(), (1, 1, 1));
    orphan();
    orphan();
    assert_eq!(block_on(reaper.drain()).cleaned, 3);
    assert_eq!(log.counts(), (3, 3, 3));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn a_reaper_gives_up_what_is_half_run_although_a_waker_panicked_before() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    drop(reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 0, Ending::Ok))));
    drain_by_nobody(&reaper);

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
