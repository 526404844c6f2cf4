//! The reaper and its adopted guards.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run, wait,
};
use async_trait::async_trait;
use futures::FutureExt;
use livedrop::reaper::{Report, Stage};
use livedrop::sync::AsyncDropArc;
use livedrop::testing::leaks;
use livedrop::{
    Adopted, AsyncDrop, AsyncDropGuard, Live, Reaper, ReaperHandle, bracket, scope, with_async_drop,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};

const POLLS_OF_A_CLEANUP: usize = 4;

assert_impl_all!(ReaperHandle: Send, Sync, Clone);
assert_impl_all!(AsyncDropGuard<Resource, Adopted>: Send, Sync);
assert_not_impl_any!(AsyncDropGuard<Resource, Adopted>: Clone);
assert_impl_all!(AsyncDropGuard<Reaper>: Send, Sync);
assert_impl_all!(Report: Send, Sync, std::error::Error);

fn log() -> Arc<Log> {
    Arc::default()
}

fn adopted(
    reaper: &ReaperHandle,
    log: &Arc<Log>,
    ending: Ending,
) -> AsyncDropGuard<Resource, Adopted> {
    reaper.adopt(AsyncDropGuard::new(Resource::new(log, 3, ending)))
}

#[test]
fn owner_that_cleans_up_leaves_no_orphan() {
    let (log, mut reaper) = (log(), Reaper::new());
    let mut guard = adopted(&reaper, &log, Ending::Ok);
    assert_eq!(run(guard.async_drop()), (POLLS_OF_A_CLEANUP, Ok(())));
    assert!(guard.is_dropped());
    assert_eq!(log.counts(), (1, 1, 1));
    assert_eq!(block_on(guard.async_drop()), Ok(()), "again: no effect");
    let report = run(reaper.drain()).1;
    assert_eq!((report.cleaned, report.failures.len()), (0, 0));
    block_on(reaper.async_drop()).unwrap();
    drop(guard);
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn option_of_an_adopted_guard_empties_after_cleanup() {
    for ending in [Ending::Ok, Ending::Err, Ending::Panic] {
        let log = log();
        block_on(leaks(async |reaper| {
            let mut option = Some(adopted(&reaper, &log, ending));
            cancel_after(2, option.async_drop_unboxed());
            assert!(option.is_some(), "cancelled, it can be called again");
            let ended = match ending {
                Ending::Ok => Some(Ok(())),
                Ending::Err => Some(Err(Failed)),
                Ending::Panic => None,
            };
            let cleanup = AssertUnwindSafe(option.async_drop_unboxed()).catch_unwind();
            assert_eq!(cleanup.await.ok(), ended);
            assert!(option.is_none());
            assert_eq!(option.async_drop_unboxed().await, Ok(()));
            assert_eq!(log.counts(), (1, usize::from(ending != Ending::Panic), 1));
        }));
    }
}

#[test]
fn every_report_of_the_reaper_has_the_label() {
    let labels = |reaper: &Reaper| -> Vec<_> {
        reaper.pending().into_iter().map(|pending| (pending.label, pending.stage)).collect()
    };
    let label = |text: &str| Some(Arc::from(text));
    let (log, mut reaper) = (log(), Reaper::new());
    let resource = |ending| AsyncDropGuard::new(Resource::new(&log, 3, ending));
    let peer = reaper.handle().with_label("peer 7");

    let mut plain = reaper.adopt(resource(Ending::Ok));
    let first = peer.adopt(resource(Ending::Ok));
    let second = peer.with_label(String::from("peer 8")).adopt(resource(Ending::Ok));
    let expected = [None, label("peer 7"), label("peer 8")].map(|label| (label, Stage::Alive));
    assert_eq!(labels(&reaper), expected);
    block_on(plain.async_drop()).unwrap();
    drop((plain, first, second));
    assert_eq!(labels(&reaper)[1], (label("peer 8"), Stage::Orphaned));
    assert_eq!(block_on(reaper.drain()).cleaned, 2);

    // Each report has the label: during the opening, after it, and for a wrapper.
    let value = resource(Ending::Err);
    let mut open = peer.acquire(async {
        wait(1).await;
        Ok::<_, Failed>(value)
    });
    cancel_after(1, &mut open);
    assert_eq!(labels(&reaper), [(label("peer 7"), Stage::Opening)]);
    let opened = block_on(open).unwrap();
    assert_eq!(labels(&reaper), [(label("peer 7"), Stage::Alive)]);
    let shared = AsyncDropArc::new(opened);
    let other = AsyncDropArc::clone(&shared);
    assert!(labels(&reaper).into_iter().all(|(found, _)| found == label("peer 7")));
    let line = reaper.pending()[0].to_string();
    assert!(line.ends_with("alive for 0.0 s  peer 7"), "{line}");

    drop((shared, other));
    let report = block_on(reaper.drain());
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.failures[0].label, label("peer 7"));
    let text = report.failures[0].to_string();
    assert!(text.contains(r#" "peer 7""#) && text.ends_with(": Failed"), "{text}");
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn an_orphan_is_cleaned_up_by_drain() {
    let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
    drop(adopted(&reaper, &log, Ending::Ok));
    assert_eq!(log.counts(), (0, 0, 0), "nothing blocks in the drop");
    let report = block_on(reaper.drain());
    assert_eq!((report.cleaned, report.failures.len()), (1, 0));
    assert_eq!(log.counts(), (1, 1, 1));
    block_on(reaper.async_drop()).unwrap();
    reports.expect_none();
}

#[test]
fn half_run_cleanup_resumes_and_does_not_restart() {
    for polls in 0..POLLS_OF_A_CLEANUP {
        let log = log();
        block_on(leaks(async |reaper| {
            let mut guard = adopted(&reaper, &log, Ending::Ok);
            cancel_after(polls, guard.async_drop());
            assert!(!guard.is_dropped());
        }));
        assert_eq!(log.counts(), (1, 1, 1));
    }
}

#[test]
fn the_owner_resumes_a_cancelled_cleanup_too() {
    for polls in 0..POLLS_OF_A_CLEANUP {
        let (log, mut reaper) = (log(), Reaper::new());
        let mut guard = adopted(&reaper, &log, Ending::Err);
        cancel_after(polls, guard.async_drop());
        assert_eq!(run(guard.async_drop()), (POLLS_OF_A_CLEANUP - polls, Err(Failed)));
        assert_eq!(log.counts(), (1, 1, 1));
        block_on(reaper.async_drop()).unwrap();
    }
}

#[test]
fn use_after_cleanup_began_panics_with_the_reason() {
    for polls in 1..=POLLS_OF_A_CLEANUP {
        let (log, mut reaper) = (log(), Reaper::new());
        let line = line!() + 1;
        let mut guard = reaper.adopt(AsyncDropGuard::live(Resource::plain(&log)));
        assert_eq!(guard.touch(), 3);
        if polls == POLLS_OF_A_CLEANUP {
            block_on(guard.async_drop()).unwrap();
        } else {
            cancel_after(polls, guard.async_drop());
        }
        let text = panic_of(|| guard.touch());
        let site = created_at(file!(), line);
        let beginning = format!("used Resource after its cleanup has begun{site}");
        assert!(text.starts_with(&beginning), "{text}");
        drop(guard);
        block_on(reaper.async_drop()).unwrap();
    }
}

#[test]
fn a_cleaned_guard_is_adopted_as_cleaned() {
    let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
    let mut guard = AsyncDropGuard::new(Resource::plain(&log));
    block_on(guard.async_drop()).unwrap();
    let guard = reaper.adopt(guard);
    assert!(guard.is_dropped());
    assert_eq!(reaper.pending(), []);
    drop(guard);
    assert_eq!(block_on(reaper.drain()).cleaned, 0);
    block_on(reaper.async_drop()).unwrap();
    reports.expect_none();
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn a_guard_adopted_too_late_behaves_as_checked() {
    let (log, mut reaper) = (log(), Reaper::new());
    let handle = reaper.handle();
    block_on(reaper.async_drop()).unwrap();
    assert!(handle.is_closed());
    let adopt = || handle.adopt(AsyncDropGuard::new(Resource::plain(&log)));

    let mut guard = adopt();
    block_on(guard.async_drop()).unwrap();
    drop(guard);
    assert_eq!(log.counts(), (1, 1, 1));

    let guard = adopt();
    let text = panic_of(|| drop(guard));
    assert!(text.starts_with("Forgot to call async_drop on Resource"), "{text}");
    assert_eq!(log.counts(), (1, 1, 2));

    let mut guard = adopt();
    cancel_after(2, guard.async_drop());
    let text = panic_of(|| drop(guard));
    assert!(text.starts_with("async_drop on Resource was cancelled"), "{text}");
    assert_eq!(log.counts(), (2, 1, 3));
}

#[test]
fn drain_waits_for_living_guards() {
    let (log, mut reaper) = (log(), Reaper::new());
    let guard = adopted(&reaper, &log, Ending::Ok);
    assert!(reaper.drain().now_or_never().is_none());
    drop(guard);
    assert_eq!(block_on(reaper.drain()).cleaned, 1);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn last_living_owner_wakes_drain() {
    let (log, mut reaper) = (log(), Reaper::new());
    let mut guard = adopted(&reaper, &log, Ending::Ok);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            std::thread::sleep(Duration::from_millis(5));
            block_on(guard.async_drop()).unwrap();
        });
        assert_eq!(block_on(reaper.drain()).cleaned, 0);
    });
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn cancelled_drain_loses_nothing_and_reports_failures_once() {
    for polls in 0..POLLS_OF_A_CLEANUP {
        let (log, mut reaper) = (log(), Reaper::new());
        for ending in [Ending::Ok, Ending::Err, Ending::Panic] {
            drop(adopted(&reaper, &log, ending));
        }
        cancel_after(polls, reaper.drain());
        let report = block_on(reaper.drain());
        assert_eq!((report.cleaned, report.failures.len()), (3, 2));
        assert_eq!(log.counts(), (3, 2, 3));
        let report = block_on(reaper.drain());
        assert_eq!((report.cleaned, report.failures.len()), (0, 0));
        block_on(reaper.async_drop()).unwrap();
    }
}

#[test]
fn failures_have_their_type_site_and_error() {
    let (log, mut reaper) = (log(), Reaper::new());
    let line = line!() + 1;
    drop(reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 1, Ending::Err))));
    drop(adopted(&reaper, &log, Ending::Panic));
    let mut report = block_on(reaper.drain());
    report.failures.sort_by_key(livedrop::reaper::Failure::is_panic);
    let panic = report.failures.pop().unwrap();
    assert!(panic.to_string().ends_with(": panicked: cleanup went wrong"), "{panic}");
    let panic = panic.downcast::<Failed>().unwrap_err();
    assert!(panic.is_panic());
    let failure = report.failures.pop().unwrap();
    let beginning = format!("Resource{}", created_at(file!(), line));
    assert!(failure.to_string().starts_with(&beginning), "{failure}");
    assert!(failure.to_string().ends_with(": Failed"), "{failure}");
    let failure = failure.downcast::<u8>().unwrap_err();
    assert_eq!(failure.downcast::<Failed>().unwrap(), Failed);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn async_drop_fails_with_the_report() {
    let (log, mut reaper) = (log(), Reaper::new());
    drop(adopted(&reaper, &log, Ending::Err));
    let report = block_on(reaper.async_drop()).unwrap_err();
    assert_eq!((report.cleaned, report.failures.len()), (1, 1));
    let text = report.to_string();
    assert!(text.starts_with("1 orphan cleaned up, 1 of them failed\n  Resource"), "{text}");
}

#[test]
fn async_drop_is_cancel_safe_itself() {
    let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
    drop(adopted(&reaper, &log, Ending::Ok));
    cancel_after(2, reaper.async_drop());
    block_on(reaper.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
    reports.expect_none();
}

#[test]
fn pending_names_the_values_it_waits_for() {
    let (log, mut reaper) = (log(), Reaper::new());
    let line = line!() + 1;
    let alive = reaper.adopt(AsyncDropGuard::new(Resource::plain(&log)));
    let mut cleaning = adopted(&reaper, &log, Ending::Ok);
    cancel_after(1, cleaning.async_drop());
    drop(adopted(&reaper, &log, Ending::Ok));
    let mut opening = Box::pin(reaper.acquire(acquire::opening(&log, Ok(()))));
    assert!(opening.as_mut().now_or_never().is_none());
    let pending = reaper.pending();
    assert_eq!(
        pending.iter().map(|entry| entry.stage).collect::<Vec<_>>(),
        [Stage::Alive, Stage::Cleaning, Stage::Orphaned, Stage::Opening]
    );
    for entry in &pending {
        assert_eq!(entry.type_name, "Resource");
        assert!(entry.age < Duration::from_mins(10));
        let kept = cfg!(any(debug_assertions, feature = "location"));
        assert_eq!(entry.created_at.map(std::panic::Location::file), kept.then_some(file!()));
    }
    let site = pending[0].created_at.map(std::panic::Location::line);
    assert!(site.is_none_or(|site| site == line), "{site:?}");
    assert!(pending[0].to_string().ends_with(" s  alive for 0.0 s"), "{}", pending[0]);
    drop((alive, cleaning, opening));
    assert_eq!(block_on(reaper.drain()).cleaned, 4);
    assert_eq!(reaper.pending(), []);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn report_has_a_panicking_cleanup_and_the_others() {
    let (log, mut reaper) = (log(), Reaper::new());
    for ending in [Ending::Panic, Ending::Ok, Ending::Panic, Ending::Ok] {
        drop(adopted(&reaper, &log, ending));
    }
    let report = block_on(reaper.drain());
    assert_eq!((report.cleaned, report.failures.len()), (4, 2));
    assert_eq!(log.counts(), (4, 2, 4));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn cleanup_that_panics_at_its_owner_has_ended() {
    let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
    let mut guard = adopted(&reaper, &log, Ending::Panic);
    assert_eq!(panic_of(|| block_on(guard.async_drop())), "cleanup went wrong");
    assert!(guard.is_dropped());
    assert_eq!(reaper.pending(), [], "it is not waited for, although the guard lives");
    assert_eq!(log.counts(), (1, 0, 1));
    drop(guard);
    assert_eq!(block_on(reaper.drain()).cleaned, 0);
    block_on(reaper.async_drop()).unwrap();
    reports.expect_none();
}

/// Its own `Drop` panics, after the cleanup.
struct PanicsInDrop(Arc<AtomicUsize>);

#[async_trait]
impl AsyncDrop for PanicsInDrop {
    type Error = Failed;
    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        Ok(())
    }
}

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
        panic!("in the value's drop");
    }
}

#[test]
fn value_that_panics_in_drop_is_reported() {
    let (drops, mut reaper) = (Arc::new(AtomicUsize::new(0)), Reaper::new());
    drop(reaper.adopt(AsyncDropGuard::new(PanicsInDrop(Arc::clone(&drops)))));
    let report = block_on(reaper.drain());
    assert_eq!(report.failures[0].message, "panicked: in the value's drop");
    assert_eq!(drops.load(SeqCst), 1);
    block_on(reaper.async_drop()).unwrap();
}

async fn open(
    log: &Arc<Log>,
    waits: usize,
    result: Result<(), &'static str>,
) -> Result<AsyncDropGuard<Resource, Live>, &'static str> {
    let log = Arc::clone(log);
    wait(waits).await;
    result.map(|()| AsyncDropGuard::live(Resource::plain(&log)))
}

mod acquire {
    use super::*;

    pub(super) fn opening(
        log: &Arc<Log>,
        result: Result<(), &'static str>,
    ) -> impl Future<Output = Result<AsyncDropGuard<Resource, Live>, &'static str>> + Send + 'static
    {
        let log = Arc::clone(log);
        async move { open(&log, 3, result).await }
    }

    #[test]
    fn gives_an_adopted_guard() {
        let (log, mut reaper) = (log(), Reaper::new());
        let (polls, guard) = run(reaper.acquire(opening(&log, Ok(()))));
        assert_eq!(polls, 4);
        drop(guard.unwrap());
        assert_eq!(block_on(reaper.drain()).cleaned, 1);
        assert_eq!(log.counts(), (1, 1, 1));
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn an_error_of_the_opening_is_returned() {
        let (log, mut reaper) = (log(), Reaper::new());
        let error = block_on(reaper.acquire(opening(&log, Err("no")))).map(drop);
        assert_eq!(error, Err("no"));
        assert_eq!(reaper.pending(), []);
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn reaper_finishes_and_cleans_up_a_cancelled_opening() {
        for polls in 1..4 {
            let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
            cancel_after(polls, reaper.acquire(opening(&log, Ok(()))));
            assert_eq!(log.counts(), (0, 0, 0));
            let report = block_on(reaper.drain());
            assert_eq!((report.cleaned, report.failures.len()), (1, 0));
            assert_eq!(log.counts(), (1, 1, 1));
            block_on(reaper.async_drop()).unwrap();
            reports.expect_none();
        }
    }

    #[test]
    fn cancelled_opening_that_fails_needs_no_cleanup() {
        let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
        cancel_after(2, reaper.acquire(opening(&log, Err("no"))));
        assert_eq!(block_on(reaper.drain()).failures.len(), 0);
        block_on(reaper.async_drop()).unwrap();
        reports.expect_none();
    }

    #[test]
    fn unpolled_opening_does_nothing() {
        let (log, mut reaper) = (log(), Reaper::new());
        drop(reaper.acquire(opening(&log, Ok(()))));
        assert_eq!(block_on(reaper.drain()).cleaned, 0);
        assert_eq!(log.counts(), (0, 0, 0));
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn panic_of_the_opening_propagates_and_ends_it() {
        let mut reaper = Reaper::new();
        let text = panic_of(|| {
            block_on(reaper.acquire(async {
                wait(1).await;
                assert!(std::hint::black_box(false), "opening went wrong");
                Ok::<AsyncDropGuard<Resource>, Failed>(AsyncDropGuard::new(Resource::plain(&log())))
            }))
        });
        assert_eq!(text, "opening went wrong");
        assert_eq!(reaper.pending(), []);
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn closed_reaper_gives_a_guard_that_acts_checked() {
        let (log, mut reaper) = (log(), Reaper::new());
        let handle = reaper.handle();
        block_on(reaper.async_drop()).unwrap();
        let guard = block_on(handle.acquire(opening(&log, Ok(())))).unwrap();
        assert!(panic_of(|| drop(guard)).starts_with("Forgot"));
        assert_eq!(log.counts(), (0, 0, 1));
    }
}

#[test]
fn bodies_take_adopted_guards() {
    let log = log();
    block_on(leaks(async |reaper| {
        let guard = adopted(&reaper, &log, Ending::Ok);
        let touched = with_async_drop(guard, async |r| Ok::<_, Failed>(r.touch())).await;
        assert_eq!(touched, Ok(3));
        let guard = adopted(&reaper, &log, Ending::Err);
        assert_eq!(bracket(guard, async |r| r.touch()).await, (3, Err(Failed)));
        let a = adopted(&reaper, &log, Ending::Ok);
        let b = AsyncDropGuard::live(Resource::plain(&log));
        let sum: Result<usize, Failed> = with_async_drop!(a, b, { Ok(a.touch() + b.touch()) });
        assert_eq!(sum, Ok(6));
        assert_eq!(log.counts(), (4, 4, 4));
    }));
}

#[test]
fn reaper_can_be_live_and_scoped() {
    let log = log();
    let reaper = AsyncDropGuard::into_live(Reaper::new()).unwrap();
    let report = block_on(scope(reaper, async |reaper| {
        drop(adopted(&reaper, &log, Ending::Err));
        let outcome = reaper.async_drop().await;
        (outcome.proof, outcome.result)
    }));
    assert_eq!(report.unwrap_err().failures.len(), 1);
}

#[test]
fn run_cleans_up_orphans_and_ends_when_closed() {
    let (log, mut reaper) = (log(), Reaper::new());
    let mut running = Box::pin(reaper.run());
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(running.as_mut().poll(&mut cx), Poll::Pending);
    let guard = adopted(&reaper, &log, Ending::Ok);
    drop(guard);
    for _ in 0..POLLS_OF_A_CLEANUP {
        assert_eq!(running.as_mut().poll(&mut cx), Poll::Pending);
    }
    assert_eq!(log.counts(), (1, 1, 1));
    let alive = adopted(&reaper, &log, Ending::Ok);
    reaper.close();
    assert_eq!(running.as_mut().poll(&mut cx), Poll::Pending, "one is alive");
    drop(alive);
    block_on(running);
    assert_eq!(log.counts(), (2, 2, 2));
    assert_eq!(block_on(reaper.drain()).cleaned, 2);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn drain_resumes_the_orphan_of_a_dropped_run() {
    for polls in 0..POLLS_OF_A_CLEANUP {
        let (log, mut reaper) = (log(), Reaper::new());
        drop(adopted(&reaper, &log, Ending::Ok));
        cancel_after(polls, reaper.run());
        assert_eq!(block_on(reaper.drain()).cleaned, 1);
        assert_eq!(log.counts(), (1, 1, 1));
        block_on(reaper.async_drop()).unwrap();
    }
}

#[test]
fn parked_drain_takes_over_from_a_dropped_run() {
    let (log, mut reaper) = (log(), Reaper::new());
    let alive = adopted(&reaper, &log, Ending::Ok);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut running = Box::pin(reaper.run());
    let mut drain = Box::pin(reaper.drain());
    assert!(running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(drain.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(woken.0.load(SeqCst), 0);
    drop(running);
    assert_eq!(woken.0.load(SeqCst), 1, "dropping a driver wakes the others");
    assert!(drain.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(alive);
    assert_eq!(woken.0.load(SeqCst), 2, "an orphan wakes the drivers");
    assert_eq!(block_on(drain).cleaned, 1);
    block_on(reaper.async_drop()).unwrap();
}

/// An executor that polls inside `wake`. A wake during a poll makes it poll once more.
struct PollsAtOnce {
    run: std::sync::Mutex<livedrop::reaper::Run>,
    woken: AtomicBool,
}

impl std::task::Wake for PollsAtOnce {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, SeqCst);
        let waker = Waker::from(Arc::clone(&self));
        while let Ok(mut run) = self.run.try_lock() {
            if !self.woken.swap(false, SeqCst) {
                return;
            }
            let _ = Pin::new(&mut *run).poll(&mut Context::from_waker(&waker));
        }
    }
}

#[test]
fn drivers_are_woken_under_no_lock() {
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (log, mut reaper) = (log(), Reaper::new());
        let run = std::sync::Mutex::new(reaper.run());
        let executor = Arc::new(PollsAtOnce { run, woken: AtomicBool::new(false) });
        Waker::from(executor).wake();
        drop(adopted(&reaper, &log, Ending::Ok));
        block_on(reaper.async_drop()).unwrap();
        done.send(log.counts()).unwrap();
    });
    let counts = finished.recv_timeout(Duration::from_mins(1)).expect("no deadlock");
    assert_eq!(counts, (1, 1, 1));
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn running_drain_cleans_up_orphans_of_other_threads() {
    let (log, mut reaper) = (log(), Reaper::new());
    let kept = adopted(&reaper, &log, Ending::Ok);
    std::thread::scope(|threads| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                threads.spawn(|| {
                    for _ in 0..50 {
                        drop(adopted(&reaper, &log, Ending::Ok));
                        std::thread::yield_now();
                    }
                })
            })
            .collect();
        threads.spawn(move || {
            for worker in workers {
                worker.join().unwrap();
            }
            drop(kept);
        });
        assert_eq!(block_on(reaper.drain()).cleaned, 201);
    });
    assert_eq!(log.counts(), (201, 201, 201));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn orphans_of_an_orphan_are_cleaned_up_too() {
    struct Nested(#[expect(dead_code, reason = "dropped")] AsyncDropGuard<Resource, Adopted>);

    #[async_trait]
    impl AsyncDrop for Nested {
        type Error = Failed;
        async fn async_drop_impl(&mut self) -> Result<(), Failed> {
            Ok(())
        }
    }

    let (log, mut reaper) = (log(), Reaper::new());
    let nested = Nested(adopted(&reaper, &log, Ending::Ok));
    drop(reaper.adopt(AsyncDropGuard::new(nested)));
    assert_eq!(block_on(reaper.drain()).cleaned, 2);
    assert_eq!(log.counts(), (1, 1, 1));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn abandon_names_the_orphans_and_drops_them() {
    let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
    let alive = adopted(&reaper, &log, Ending::Ok);
    drop(adopted(&reaper, &log, Ending::Ok));
    drop(adopted(&reaper, &log, Ending::Ok));
    cancel_after(2, reaper.drain());
    drop(adopted(&reaper, &log, Ending::Ok));
    let report = reaper.abandon();
    assert_eq!(
        report.abandoned.iter().map(|entry| entry.stage).collect::<Vec<_>>(),
        [Stage::Alive, Stage::Orphaned, Stage::Orphaned, Stage::Orphaned]
    );
    let begun: Vec<_> = report.abandoned.iter().map(|entry| entry.cleanup_has_begun).collect();
    assert_eq!(begun, [false, true, true, false]);
    assert!(report.to_string().contains("4 abandoned:\n  Resource"), "{report}");
    assert_eq!(log.counts(), (2, 0, 3));
    reports.expect_none();
    assert!(reaper.handle().is_closed());
    block_on(reaper.async_drop()).unwrap();
    drop(alive);
    reports.expect_none();
}

#[test]
fn abandon_inside_a_cleanup_drops_the_waiting_orphans() {
    let (log, reaper, reports) = (log(), Arc::new(Reaper::new()), Reports::collect());
    drop(reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 9, Ending::Ok))));
    let (abandoned, for_cleanup) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&reaper));
    let counted = Arc::clone(&abandoned);
    drop(reaper.adopt(AsyncDropGuard::with_cleanup((), move |()| async move {
        counted.store(for_cleanup.abandon().abandoned.len(), SeqCst);
    })));
    let report = run(reaper.drain()).1;
    assert_eq!(abandoned.load(SeqCst), 1, "all but the one that is being polled");
    assert_eq!((report.cleaned, report.abandoned.len()), (1, 0));
    assert_eq!(log.counts(), (1, 0, 1), "dropped while the reaper is there");
    reports.expect_none();
    block_on(Arc::into_inner(reaper).expect("nobody else has it").async_drop()).unwrap();
}

#[test]
fn abandon_catches_panics_of_dropped_values() {
    let (drops, mut reaper) = (Arc::new(AtomicUsize::new(0)), Reaper::new());
    let panics_in_drop = AsyncDropGuard::new(PanicsInDrop(Arc::clone(&drops)));
    drop(reaper.handle().with_label("anna").adopt(panics_in_drop));
    let report = reaper.abandon();
    let failure = &report.failures[0];
    assert_eq!(failure.message, "panicked: in the value's drop");
    assert_eq!((&*failure.type_name, failure.label.as_deref()), ("PanicsInDrop", Some("anna")));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn lost_orphans_are_reported_though_hook_panics() {
    let (log, reaper) = (log(), Reaper::new());
    drop(adopted(&reaper, &log, Ending::Ok));
    drop(adopted(&reaper, &log, Ending::Ok));
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let _hook = livedrop::hook::scoped(move |_| {
        assert!(counted.fetch_add(1, SeqCst) > 0, "at the first");
    });
    let reaper = AsyncDropGuard::into_inner_without_cleanup(reaper);
    assert_eq!(panic_of(|| drop(reaper)), "at the first");
    assert_eq!(calls.load(SeqCst), 2);
    assert_eq!(log.counts(), (0, 0, 2));
}

#[test]
fn a_forgotten_reaper_reports_itself_and_each_orphan() {
    let (log, reports) = (log(), Reports::collect());
    let reaper = Reaper::new();
    let alive = adopted(&reaper, &log, Ending::Ok);
    drop(adopted(&reaper, &log, Ending::Ok));
    drop(adopted(&reaper, &log, Ending::Ok));
    drop(reaper);
    let texts = reports.take();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts[0].starts_with("Forgot to call async_drop on Reaper"), "{texts:?}");
    for text in &texts[1..] {
        let beginning = "the reaper was dropped before it had cleaned up Resource";
        assert!(text.starts_with(beginning), "{texts:?}");
    }
    assert_eq!(log.counts(), (0, 0, 2));
    drop(alive);
    reports.expect_one("Forgot to call async_drop on Resource");
}

#[test]
fn forgotten_reaper_with_a_run_loses_nothing() {
    let (log, reports) = (log(), Reports::collect());
    let reaper = Reaper::new();
    let running = reaper.run();
    let alive = adopted(&reaper, &log, Ending::Ok);
    drop(adopted(&reaper, &log, Ending::Ok));
    let quiet = livedrop::hook::scoped(|_| {});
    drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
    drop(quiet);
    drop(alive);
    reports.expect_none();
    run(running);
    assert_eq!(log.counts(), (2, 2, 2));
    reports.expect_none();
}

#[test]
fn unread_failures_go_to_the_hook() {
    let (log, reports) = (log(), Reports::collect());
    let reaper = Reaper::new();
    drop(adopted(&reaper, &log, Ending::Err));
    cancel_after(5, reaper.run());
    assert_eq!(log.counts(), (1, 1, 1));
    drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
    reports.expect_none();
}

#[test]
fn several_lost_orphans_panic_once_and_print_lines() {
    let log = log();
    let reaper = Reaper::new();
    for _ in 0..3 {
        drop(adopted(&reaper, &log, Ending::Ok));
    }
    let reaper = AsyncDropGuard::into_inner_without_cleanup(reaper);
    let text = panic_of(|| drop(reaper));
    assert!(text.starts_with("the reaper was dropped before"), "{text}");
    assert_eq!(log.counts(), (0, 0, 3));
}

/// Its cleanup never ends, as with a peer that never answers.
struct Stuck;

#[async_trait]
impl AsyncDrop for Stuck {
    type Error = Failed;
    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        std::future::pending().await
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn pending_names_the_cleanup_that_blocks_shutdown() {
    let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
    let running = tokio::spawn(reaper.run());
    let line = line!() + 1;
    drop(reaper.adopt(AsyncDropGuard::new(Stuck)));
    let alive = adopted(&reaper, &log, Ending::Ok);
    for _ in 0..3 {
        let drained = tokio::time::timeout(Duration::from_secs(10), reaper.drain()).await;
        assert!(drained.is_err(), "nothing hides that it hangs");
    }
    let table: Vec<String> = reaper.pending().iter().map(ToString::to_string).collect();
    assert_eq!(table.len(), 2, "{table:?}");
    assert!(
        table[0].starts_with("Stuck ") && table[0].contains(" s  orphaned, cleaning for "),
        "{table:?}"
    );
    if cfg!(any(debug_assertions, feature = "location")) {
        assert!(table[0].contains(&format!("{}:{line}:", file!())), "{table:?}");
    }
    assert!(table[1].starts_with("Resource ") && table[1].contains(" s  alive for "), "{table:?}");
    drop(alive);
    assert!(tokio::time::timeout(Duration::from_secs(10), reaper.drain()).await.is_err());
    assert_eq!(log.counts(), (1, 1, 1), "the other value is cleaned up beside the stuck one");
    let report = reaper.abandon();
    assert_eq!((report.cleaned, report.abandoned.len()), (1, 1));
    assert_eq!(report.abandoned[0].type_name, "Stuck");
    reaper.async_drop().await.unwrap();
    running.await.unwrap();
    reports.expect_none();
}

mod executors {
    use super::*;

    async fn life(reaper: &Reaper, log: &Arc<Log>) {
        drop(adopted(reaper, log, Ending::Ok));
        let mut guard = adopted(reaper, log, Ending::Ok);
        cancel_after(1, guard.async_drop());
        drop(guard);
        assert_eq!(reaper.drain().await.cleaned, 2);
        assert_eq!(log.counts(), (2, 2, 2));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn tokio_current_thread() {
        let (log, mut reaper) = (log(), Reaper::new());
        let running = tokio::spawn(reaper.run());
        life(&reaper, &log).await;
        reaper.async_drop().await.unwrap();
        running.await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn tokio_multi_thread() {
        let (log, mut reaper) = (log(), Reaper::new());
        let running = tokio::spawn(reaper.run());
        life(&reaper, &log).await;
        reaper.async_drop().await.unwrap();
        running.await.unwrap();
    }

    #[test]
    fn futures_executor() {
        let (log, mut reaper) = (log(), Reaper::new());
        block_on(async {
            life(&reaper, &log).await;
            reaper.async_drop().await.unwrap();
        });
    }
}

#[test]
fn opening_may_give_a_cleaned_up_guard() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let opened = Arc::clone(&log);
    let acquired = block_on(reaper.acquire(async move {
        let mut guard = AsyncDropGuard::new(Resource::plain(&opened));
        guard.async_drop().await?;
        Ok::<_, Failed>(guard)
    }));
    let guard = acquired.unwrap();
    assert!(guard.is_dropped());
    drop(guard);
    assert_eq!(block_on(reaper.drain()).cleaned, 0);
    assert_eq!(log.counts(), (1, 1, 1));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn adopted_value_is_inaccessible_once_its_cleanup_began() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let mut guard = reaper.adopt(AsyncDropGuard::new(Resource::plain(&log)));
    guard.waits = 2;
    cancel_after(1, guard.async_drop());
    assert!(panic_of(|| guard.waits = 1).starts_with("used Resource after its cleanup has begun"));
    block_on(guard.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
    block_on(reaper.async_drop()).unwrap();
}
