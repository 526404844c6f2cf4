//! Openings that can stop early, and futures that are shielded.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::FutureExt;
use futures::future::{Either, select};
use livedrop::reaper::{Abandoned, Stage};
use livedrop::{AsyncDropGuard, Reaper};

use crate::support::{Failed, Log, Reports, Resource, block_on, cancel_after, panic_of, run, wait};

fn log() -> Arc<Log> {
    Arc::default()
}

fn stage(reaper: &Reaper) -> Option<Stage> {
    reaper.pending().first().map(|pending| pending.stage)
}

/// Waits in a queue until its caller is gone, or opens a resource after `waits` polls.
async fn open(
    mut abandoned: Abandoned,
    log: Arc<Log>,
    waits: usize,
) -> Result<AsyncDropGuard<Resource>, &'static str> {
    match select(&mut abandoned, wait(waits)).await {
        Either::Left(_) => Err("nobody waits for it"),
        Either::Right(_) => Ok(AsyncDropGuard::new(Resource::plain(&log))),
    }
}

#[test]
fn an_opening_stops_once_its_caller_is_gone() {
    let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
    let made = Arc::clone(&log);
    let mut opening = Box::pin(reaper.acquire_with(|abandoned| open(abandoned, made, usize::MAX)));
    assert!(opening.as_mut().now_or_never().is_none());
    assert_eq!(stage(&reaper), Some(Stage::Opening));
    drop(opening);
    assert_eq!(stage(&reaper), Some(Stage::Opening), "it is not opened yet");
    assert_eq!(block_on(reaper.drain()).failures.len(), 0);
    assert_eq!(log.counts(), (0, 0, 0));
    block_on(reaper.async_drop()).unwrap();
    reports.expect_none();
}

#[test]
fn an_opening_with_a_caller_goes_on() {
    for waits in 0..3 {
        let (log, mut reaper) = (log(), Reaper::new());
        let made = Arc::clone(&log);
        let (polls, guard) =
            run(reaper.acquire_with(async move |abandoned| open(abandoned, made, waits).await));
        assert_eq!(polls, waits + 1);
        drop(guard.unwrap());
        block_on(reaper.async_drop()).unwrap();
        assert_eq!(log.counts(), (1, 1, 1));
    }
}

#[test]
fn abandoned_is_pending_after_the_opening_has_ended() {
    let (log, mut reaper) = (log(), Reaper::new());
    let (sender, receiver) = std::sync::mpsc::channel::<Abandoned>();
    let made = Arc::clone(&log);
    let guard = block_on(reaper.acquire_with(async move |mut abandoned: Abandoned| {
        assert!(!abandoned.is_abandoned());
        sender.send(abandoned).unwrap();
        Ok::<_, Failed>(AsyncDropGuard::new(Resource::plain(&made)))
    }));
    drop(guard.unwrap());
    let mut abandoned = receiver.recv().unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(abandoned.poll_unpin(&mut cx), Poll::Pending);
    assert!(!abandoned.is_abandoned());
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn abandoned_stays_ready() {
    let mut reaper = Reaper::new();
    let (sender, receiver) = std::sync::mpsc::channel::<Abandoned>();
    let opening = reaper.acquire_with(|abandoned| {
        sender.send(abandoned).unwrap();
        async { Err::<AsyncDropGuard<Resource>, _>(Failed) }
    });
    drop(opening);
    let mut abandoned = receiver.recv().unwrap();
    assert!(abandoned.is_abandoned());
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(abandoned.poll_unpin(&mut cx), Poll::Ready(()));
    assert_eq!(abandoned.poll_unpin(&mut cx), Poll::Ready(()));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn a_cancelled_opening_is_opening_until_it_has_opened() {
    let (log, mut reaper) = (log(), Reaper::new());
    let made = Arc::clone(&log);
    cancel_after(
        1,
        reaper.acquire(async move {
            wait(3).await;
            Ok::<_, Failed>(AsyncDropGuard::new(Resource::plain(&made)))
        }),
    );
    let mut drain = reaper.drain();
    let mut stages = Vec::new();
    while drain.poll_unpin(&mut Context::from_waker(Waker::noop())).is_pending() {
        stages.extend(reaper.pending().iter().map(|it| (it.stage, it.cleanup_has_begun)));
    }
    stages.dedup();
    assert_eq!(stages, [(Stage::Opening, false), (Stage::Orphaned, true)]);
    drop(drain);
    block_on(reaper.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
}

mod shield {
    use super::*;

    /// Counts its begin and its end in the log.
    async fn work(log: Arc<Log>) -> u8 {
        Resource::plain(&log).finish().await.unwrap();
        7
    }

    #[test]
    fn it_gives_the_output() {
        let (log, mut reaper) = (log(), Reaper::new());
        assert_eq!(run(reaper.shield(work(Arc::clone(&log)))), (4, 7));
        assert!(reaper.pending().is_empty());
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn cancelled_anywhere_the_reaper_ends_it_once() {
        for polls in 0..4 {
            let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
            cancel_after(polls, reaper.shield(work(Arc::clone(&log))));
            let begun = usize::from(polls > 0);
            assert_eq!(stage(&reaper), (polls > 0).then_some(Stage::Shielded));
            assert_eq!(block_on(reaper.drain()).cleaned, begun);
            assert_eq!(log.finishes(), (begun, begun));
            block_on(reaper.async_drop()).unwrap();
            reports.expect_none();
        }
    }

    #[test]
    fn its_panic_is_the_callers_or_a_failure() {
        let (reports, mut reaper) = (Reports::collect(), Reaper::new());
        let fails = || async {
            wait(1).await;
            panic!("the work failed");
        };
        assert_eq!(panic_of(|| run(reaper.shield(fails())).0), "the work failed");
        assert!(reaper.pending().is_empty());
        cancel_after(1, reaper.handle().with_label("work").shield(fails()));
        let report = block_on(reaper.drain());
        assert_eq!(report.failures[0].message, "panicked: the work failed");
        assert_eq!(report.failures[0].label.as_deref(), Some("work"));
        assert_eq!(reports.take_failed().len(), 1);
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn polled_after_its_end_it_panics() {
        let mut reaper = Reaper::new();
        let mut shield = reaper.shield(async {});
        block_on(&mut shield);
        assert_eq!(panic_of(|| block_on(&mut shield)), "`Shield` was polled after it was ready");
        drop(shield);
        block_on(reaper.async_drop()).unwrap();
    }
}
