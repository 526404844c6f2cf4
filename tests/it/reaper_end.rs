//! Failures, closed reapers, `abandon`, `shutdown`, and reapers that are gone.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::{FutureExt, stream};
use livedrop::collections::AsyncDropStack;
use livedrop::hook::{self, Cause, GuardKind, Unhandled};
use livedrop::reaper::{Pending, Report, Stage, TryAcquireError};
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Reaper};

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run, wait,
};

fn log() -> Arc<Log> {
    Arc::default()
}

fn resource(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(Resource::new(log, 2, ending))
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    future.poll_unpin(&mut Context::from_waker(Waker::noop()))
}

/// Its cleanup never ends.
struct Stuck;

#[livedrop::unboxed]
impl AsyncDrop for Stuck {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        std::future::pending().await
    }
}

fn stuck(reaper: &Reaper) -> AsyncDropGuard<Stuck, Adopted> {
    reaper.adopt(AsyncDropGuard::new(Stuck))
}

mod failures {
    use super::*;

    #[test]
    fn the_hook_is_told_while_others_live() {
        let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
        let alive = reaper.adopt(resource(&log, Ending::Ok));
        let mut running = reaper.run();
        let line = line!() + 1;
        let failing = AsyncDropGuard::new(Resource::new(&log, 0, Ending::Err));
        drop(reaper.handle().with_label("peer 7").adopt(failing));
        let _ = poll_once(&mut running);
        let site = created_at(file!(), line);
        let [told] = &reports.take_failed()[..] else { panic!("one failure") };
        let beginning = format!("the reaper could not clean up Resource \"peer 7\"{site}");
        assert!(told.starts_with(&beginning) && told.ends_with(": Failed"), "{told}");
        drop((alive, running));
        assert!(block_on(reaper.async_drop()).is_err());
        reports.expect_none();
    }

    #[test]
    fn the_hook_is_told_before_the_entry_goes() {
        let (log, mut reaper) = (log(), Reaper::new());
        let (handle, seen) = (reaper.handle(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&seen);
        let _hook = hook::scoped(move |unhandled| {
            if let Unhandled::Failed { type_name: "Resource", message: "Failed", .. } = unhandled {
                counted.fetch_add(handle.pending().len(), SeqCst);
            }
        });
        drop(reaper.adopt(resource(&log, Ending::Err)));
        assert_eq!(block_on(reaper.drain()).failures.len(), 1);
        assert_eq!(seen.load(SeqCst), 1);
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn a_hook_that_panics_ends_no_driver() {
        let (log, mut reaper) = (log(), Reaper::new());
        for ending in [Ending::Err, Ending::Panic, Ending::Ok] {
            drop(reaper.adopt(resource(&log, ending)));
        }
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let hook = hook::scoped(move |_| {
            counted.fetch_add(1, SeqCst);
            panic!("the hook");
        });
        let report = block_on(reaper.drain());
        assert_eq!((report.cleaned, report.failures.len(), calls.load(SeqCst)), (3, 2, 2));
        drop(hook);
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn a_report_keeps_1024_failures_and_counts_the_rest() {
        let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
        for _ in 0..1_030 {
            drop(reaper.adopt(resource(&log, Ending::Err)));
        }
        let report = block_on(reaper.drain());
        assert_eq!((report.failures.len(), report.more_failures), (1_024, 6));
        let text = report.to_string();
        assert!(text.starts_with("1030 orphans cleaned up, 1030 of them failed\n"), "{text}");
        assert!(text.ends_with("\n  and 6 more"), "{text}");
        assert_eq!(reports.take_failed().len(), 1_030, "the hook is told of each");
        assert!(report.into_result().is_err());
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn a_report_becomes_an_io_error() {
        let (log, mut reaper, _reports) = (log(), Reaper::new(), Reports::collect());
        drop(reaper.adopt(resource(&log, Ending::Err)));
        let report = block_on(reaper.async_drop()).unwrap_err();
        let error = std::io::Error::from(report);
        assert!(
            error.to_string().starts_with("1 orphan cleaned up, 1 of them failed\n"),
            "{error}"
        );
        let report = error.into_inner().unwrap().downcast::<Report>().unwrap();
        assert_eq!(report.failures.len(), 1);
    }

    #[test]
    fn take_report_gives_what_has_ended_so_far() {
        let (log, mut reaper, _reports) = (log(), Reaper::new(), Reports::collect());
        let alive = reaper.adopt(resource(&log, Ending::Ok));
        let mut running = reaper.run();
        for expected in [1, 1, 0] {
            if expected == 1 {
                drop(reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 0, Ending::Err))));
            }
            let _ = poll_once(&mut running);
            let report = reaper.take_report();
            assert_eq!((report.cleaned, report.failures.len()), (expected, expected));
        }
        drop((alive, running));
        let report = block_on(reaper.drain());
        assert_eq!((report.cleaned, report.failures.len()), (1, 0));
        block_on(reaper.async_drop()).unwrap();
    }
}

mod closed {
    use super::*;

    fn closed() -> (AsyncDropGuard<Reaper>, livedrop::ReaperHandle) {
        let mut reaper = Reaper::new();
        let handle = reaper.handle();
        block_on(reaper.async_drop()).unwrap();
        (reaper, handle)
    }

    #[test]
    fn try_adopt_gives_the_guard_back() {
        let ((_reaper, handle), log) = (closed(), log());
        let mut guard = handle.try_adopt(resource(&log, Ending::Ok)).unwrap_err();
        assert_eq!(log.counts(), (0, 0, 0));
        block_on(guard.async_drop()).unwrap();
        assert_eq!(log.counts(), (1, 1, 1));
    }

    #[test]
    fn try_adopt_adopts_while_the_reaper_is_open() {
        let (log, mut reaper) = (log(), Reaper::new());
        drop(reaper.try_adopt(resource(&log, Ending::Ok)).unwrap());
        let mut cleaned = resource(&log, Ending::Ok);
        block_on(cleaned.async_drop()).unwrap();
        assert!(reaper.try_adopt(cleaned).unwrap().is_dropped());
        block_on(reaper.async_drop()).unwrap();
        assert_eq!(log.counts(), (2, 2, 2));
    }

    #[test]
    fn try_acquire_does_not_open() {
        let ((_reaper, handle), log) = (closed(), log());
        let made = Arc::clone(&log);
        let opening = handle.try_acquire(async move {
            made.counts();
            unreachable!("the reaper is closed");
            #[expect(unreachable_code, reason = "it names the type")]
            Ok::<_, Failed>(resource(&made, Ending::Ok))
        });
        let error = block_on(opening).map(drop).unwrap_err();
        assert_eq!(error, TryAcquireError::Closed);
        assert_eq!(log.counts(), (0, 0, 0));
    }

    #[test]
    fn try_acquire_opens_and_reports_the_error_of_the_opening() {
        let (log, mut reaper) = (log(), Reaper::new());
        let made = Arc::clone(&log);
        let open = async move {
            wait(2).await;
            Ok::<_, Failed>(resource(&made, Ending::Ok))
        };
        drop(block_on(reaper.try_acquire(open)).unwrap());
        let fails = async { Err::<AsyncDropGuard<Resource>, _>(Failed) };
        let error = block_on(reaper.try_acquire(fails)).map(drop).unwrap_err();
        assert_eq!(error, TryAcquireError::Open(Failed));
        block_on(reaper.async_drop()).unwrap();
        assert_eq!(log.counts(), (1, 1, 1));
    }

    #[test]
    fn a_cancelled_try_acquire_leaks_nothing() {
        for polls in 1..3 {
            let (log, mut reaper) = (log(), Reaper::new());
            let made = Arc::clone(&log);
            let open = async move {
                wait(3).await;
                Ok::<_, Failed>(resource(&made, Ending::Ok))
            };
            cancel_after(polls, reaper.try_acquire(open));
            block_on(reaper.async_drop()).unwrap();
            assert_eq!(log.counts(), (1, 1, 1));
        }
    }

    #[test]
    fn the_late_panic_says_that_the_reaper_was_closed() {
        let ((_reaper, handle), log) = (closed(), log());
        let guard = handle.adopt(resource(&log, Ending::Ok));
        let text = panic_of(|| drop(guard));
        assert!(text.starts_with("Forgot to call async_drop on Resource"), "{text}");
        assert!(text.contains("Its reaper had been closed"), "{text}");
        assert!(!text.contains("use `Reaper::adopt`"), "{text}");
    }

    #[test]
    fn shield_of_a_closed_reaper_shields_nothing() {
        let ((_reaper, handle), log) = (closed(), log());
        let value = Resource::new(&log, 0, Ending::Ok);
        cancel_after(
            1,
            handle.shield(async move {
                wait(2).await;
                drop(value);
            }),
        );
        assert_eq!(log.counts(), (0, 0, 1), "dropped at once");
        assert_eq!(block_on(handle.shield(async { 7 })), 7);
    }
}

mod abandon {
    use super::*;

    #[test]
    fn a_stack_and_its_members_are_named_once_each() {
        let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect_and_panic());
        let mut stack = AsyncDropStack::adopted(&reaper.handle());
        stack.push(reaper.adopt(resource(&log, Ending::Ok)));
        stack.push(stuck(&reaper));
        stack.defer(async {});
        drop(stack);
        cancel_after(2, reaper.drain());
        let report = reaper.abandon();
        let names: Vec<_> = report.abandoned.iter().map(|it| (&*it.type_name, it.depth)).collect();
        assert_eq!(names.len(), 3, "{report}");
        assert_eq!((names[0].0, names[0].1), ("AsyncDropStack<Adopted>", 0), "{report}");
        assert_eq!((names[1].0, names[1].1, names[2].1), ("Resource", 1, 1), "{report}");
        assert!(report.failures.is_empty(), "{report}");
        reports.expect_none();
        block_on(reaper.async_drop()).unwrap();
        assert_eq!(log.counts(), (0, 0, 1));
    }

    #[test]
    fn an_owner_that_was_named_drops_silently() {
        let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
        let alone = reaper.adopt(resource(&log, Ending::Ok));
        let mut cleaning = reaper.adopt(resource(&log, Ending::Ok));
        cancel_after(1, cleaning.async_drop());
        let wrapped = AsyncDropMutex::new(reaper.adopt(resource(&log, Ending::Ok)));
        let mut used = reaper.adopt(resource(&log, Ending::Ok));
        assert_eq!(reaper.abandon().abandoned.len(), 4);
        drop((alone, cleaning, wrapped));
        assert_eq!(block_on(used.async_drop()), Ok(()), "an owner can clean up still");
        drop(used);
        reports.expect_none();
        assert_eq!(log.counts(), (2, 1, 4));
        assert!(reaper.pending().is_empty());
        block_on(reaper.async_drop()).unwrap();
    }

    /// Abandons its reaper in the middle of its cleanup, and then waits or ends.
    struct Abandoning {
        reaper: Arc<Mutex<Option<AsyncDropGuard<Reaper>>>>,
        drops_the_reaper: bool,
        waits: usize,
        ending: Ending,
    }

    #[livedrop::unboxed]
    impl AsyncDrop for Abandoning {
        type Error = Failed;

        async fn async_drop_impl(&mut self) -> Result<(), Failed> {
            if let Some(reaper) = &*self.reaper.lock().unwrap() {
                let named = reaper.abandon().abandoned;
                assert!(named.is_empty(), "it is being polled: {named:?}");
            }
            if self.drops_the_reaper {
                let reaper = self.reaper.lock().unwrap().take();
                drop(reaper.map(AsyncDropGuard::into_inner_without_cleanup));
            }
            wait(self.waits).await;
            if self.ending == Ending::Err { Err(Failed) } else { Ok(()) }
        }
    }

    /// Returns the reports of lost values, the reports of failures, the numbers of cleaned and abandoned
    /// values in the last report, and whether the value is still pending.
    fn abandon_inside(drops_the_reaper: bool, waits: usize, ending: Ending) -> [usize; 5] {
        let (reports, reaper) = (Reports::collect(), Arc::new(Mutex::new(Some(Reaper::new()))));
        let (handle, mut running) = {
            let reaper = reaper.lock().unwrap();
            let reaper = reaper.as_ref().expect("it is there");
            (reaper.handle(), Box::pin(reaper.run()))
        };
        let value = Abandoning { reaper: Arc::clone(&reaper), drops_the_reaper, waits, ending };
        drop(handle.adopt(AsyncDropGuard::new(value)));
        let _ = poll_once(&mut running);
        let pending = handle.pending().len();
        drop((running, handle));
        let (mut cleaned, mut abandoned) = (0, 0);
        if let Some(mut reaper) = reaper.lock().unwrap().take() {
            let report = reaper.take_report();
            (cleaned, abandoned) = (report.cleaned, report.abandoned.len());
            block_on(reaper.async_drop()).unwrap();
        }
        [reports.take().len(), reports.take_failed().len(), cleaned, abandoned, pending]
    }

    #[test]
    fn what_is_being_polled_is_decided_after_its_poll() {
        assert_eq!(abandon_inside(false, 0, Ending::Ok), [0, 0, 1, 0, 0], "it has ended");
        assert_eq!(abandon_inside(false, 0, Ending::Err), [0, 1, 1, 0, 0], "the hook is told");
        assert_eq!(abandon_inside(false, 1, Ending::Ok), [0, 0, 0, 1, 0], "the next report has it");
        assert_eq!(abandon_inside(true, 0, Ending::Ok), [0, 0, 0, 0, 0]);
        assert_eq!(abandon_inside(true, 0, Ending::Err), [0, 1, 0, 0, 0]);
        assert_eq!(abandon_inside(true, 1, Ending::Ok), [1, 0, 0, 0, 0], "the hook names it");
    }

    #[test]
    fn a_report_that_nobody_reads_is_told_to_the_hook() {
        let reports = Reports::collect();
        let reaper = Reaper::new();
        let handle = reaper.handle();
        let mut running = Box::pin(reaper.run());
        // Abandons the reaper, but does not drop it; the abandoned value is in a report that is not read.
        let slot = Arc::new(Mutex::new(Some(reaper)));
        let value = Abandoning {
            reaper: Arc::clone(&slot),
            drops_the_reaper: false,
            waits: 1,
            ending: Ending::Ok,
        };
        drop(handle.adopt(AsyncDropGuard::new(value)));
        let _ = poll_once(&mut running);
        drop(running);
        reports.expect_none();
        let reaper = slot.lock().unwrap().take().expect("it is there");
        drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
        reports.expect_one("the reaper was dropped before it had cleaned up Abandoning");
    }
}

mod shutdown {
    use super::*;

    #[test]
    fn it_ends_before_the_deadline_if_all_is_clean() {
        let (log, reaper, reports) = (log(), Reaper::new(), Reports::collect());
        drop(reaper.adopt(resource(&log, Ending::Err)));
        let handle = reaper.handle();
        let report = run(Reaper::shutdown(reaper, std::future::pending::<()>())).1;
        assert_eq!((report.cleaned, report.failures.len(), report.abandoned.len()), (1, 1, 0));
        assert!(handle.is_closed());
        reports.expect_none();
    }

    #[test]
    fn at_the_deadline_the_rest_is_abandoned() {
        for waits in 0..4 {
            let (log, reaper, reports) = (log(), Reaper::new(), Reports::collect());
            drop(stuck(&reaper));
            drop(reaper.adopt(resource(&log, Ending::Ok)));
            let alive = reaper.adopt(resource(&log, Ending::Ok));
            let (polls, report) = run(Reaper::shutdown(reaper, wait(waits)));
            assert_eq!(polls, waits + 1);
            let ended = usize::from(waits >= 2);
            assert_eq!((report.cleaned, report.abandoned.len()), (ended, 3 - ended));
            drop(alive);
            reports.expect_none();
        }
    }

    #[test]
    fn it_takes_live_reapers_and_refuses_cleaned_ones() {
        let reaper = AsyncDropGuard::into_live(Reaper::new()).unwrap();
        assert!(block_on(Reaper::shutdown(reaper, wait(9))).into_result().is_ok());
        let mut reaper = Reaper::new();
        block_on(reaper.async_drop()).unwrap();
        let text = panic_of(|| block_on(Reaper::shutdown(reaper, wait(9))));
        assert!(text.starts_with("used Reaper after its cleanup"), "{text}");
    }

    #[test]
    fn a_cancelled_shutdown_has_its_own_text() {
        for polls in 0..3 {
            let (reports, reaper) = (Reports::collect(), Reaper::new());
            drop(stuck(&reaper));
            cancel_after(polls, Reaper::shutdown(reaper, std::future::pending::<()>()));
            let texts = reports.take();
            assert_eq!(texts.len(), 2, "the reaper and its orphan: {texts:?}");
            let beginning = if polls == 0 { "Forgot to call" } else { "async_drop on Reaper was" };
            assert!(texts[0].starts_with(beginning), "{texts:?}");
            assert!(texts[0].contains("`Reaper::shutdown`"), "{texts:?}");
            assert!(!texts[0].contains("adopt`: the reaper then"), "{texts:?}");
        }
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn it_can_be_watched_while_it_waits() {
        let reaper = Reaper::new();
        drop(stuck(&reaper));
        let tick = || tokio::time::sleep(Duration::from_secs(1));
        let ticks = stream::unfold((), |()| async move { Some((tick().await, ())) });
        let mut seen = Vec::new();
        let report = Reaper::shutdown(reaper, tokio::time::sleep(Duration::from_millis(3_500)))
            .watch(ticks, |pending| seen.push((pending.len(), pending[0].in_stage.as_millis() < 1)))
            .await;
        assert_eq!(seen.iter().map(|seen| seen.0).collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!(report.abandoned.len(), 1);
    }

    #[test]
    fn the_end_of_the_ticks_is_no_deadline() {
        let (log, reaper) = (log(), Reaper::new());
        drop(reaper.adopt(resource(&log, Ending::Ok)));
        let shutdown = Reaper::shutdown(reaper, std::future::pending::<()>());
        let report = run(shutdown.watch(stream::iter([(), ()]), drop)).1;
        assert_eq!((report.cleaned, report.abandoned.len()), (1, 0));
    }

    #[test]
    fn it_waits_for_no_poll_on_another_thread() {
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let (begun, begins) = std::sync::mpsc::channel::<()>();
        let reaper = Reaper::new();
        let blocked = Mutex::new(blocked);
        let blocking = AsyncDropGuard::with_cleanup(blocked, move |blocked| async move {
            begun.send(()).unwrap();
            let _ = blocked.into_inner().unwrap().recv();
        });
        drop(reaper.adopt(blocking));
        let (running, handle) = (reaper.run(), reaper.handle());
        let runner = std::thread::spawn(move || block_on(running));
        begins.recv().unwrap();
        let report = run(Reaper::shutdown(reaper, std::future::ready(()))).1;
        assert_eq!((report.cleaned, report.abandoned.len(), report.undecided), (0, 0, 1));
        assert!(report.to_string().ends_with("\n1 still being polled"), "{report}");
        assert!(report.into_result().is_err(), "nobody knows yet how it ends");
        assert_eq!(handle.pending().len(), 1);
        release.send(()).unwrap();
        runner.join().unwrap();
        assert!(handle.pending().is_empty());
    }

    /// Waits for the other thread twice when it is dropped.
    struct LetsItGiveUp(Arc<Barrier>);

    impl Drop for LetsItGiveUp {
        fn drop(&mut self) {
            self.0.wait();
            self.0.wait();
        }
    }

    #[test]
    fn hook_panic_does_not_take_its_report() {
        let (reaper, reports) = (Reaper::new(), Reports::collect_and_panic());
        let step = Arc::new(Barrier::new(2));
        let value = LetsItGiveUp(Arc::clone(&step));
        let waiting = AsyncDropGuard::with_cleanup(value, |value| async move {
            std::future::pending::<()>().await;
            drop(value);
        });
        drop(reaper.adopt(waiting));
        let mut running = reaper.run();
        assert!(poll_once(&mut running).is_pending());

        // Polled at the deadline, and given up before the reaper is gone: while `abandon` drops the other one.
        let polled = AsyncDropGuard::with_cleanup(Arc::clone(&step), |step| async move {
            step.wait();
            step.wait();
            std::future::pending::<()>().await;
        });
        drop(reaper.adopt(polled));
        let settled = Arc::clone(&step);
        let runner = std::thread::spawn(move || {
            assert!(poll_once(&mut running).is_ready());
            settled.wait();
        });
        step.wait();
        let report = run(Reaper::shutdown(reaper, std::future::ready(()))).1;
        runner.join().unwrap();
        assert_eq!((report.abandoned.len(), report.undecided), (1, 1));
        reports.expect_one("the reaper was dropped before it had cleaned up Deferred");
    }
}

mod gone {
    use super::*;

    /// The causes and kinds of the reports of `f`.
    fn reported(f: impl FnOnce()) -> Vec<(String, Cause, GuardKind)> {
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let sink = Arc::clone(&seen);
        let hook = hook::scoped(move |unhandled| {
            if let Unhandled::Forgotten { type_name, cause, kind, .. } = unhandled {
                sink.lock().unwrap().push(((*type_name).to_owned(), *cause, *kind));
            }
        });
        f();
        drop(hook);
        std::mem::take(&mut *seen.lock().unwrap())
    }

    #[test]
    fn the_guard_of_a_reaper_has_its_own_kind() {
        let told = reported(|| drop(Reaper::new()));
        assert_eq!(told, [("Reaper".to_owned(), Cause::Forgotten, GuardKind::OfReaper)]);
        let told = reported(|| {
            let mut reaper = Reaper::new();
            let alive = stuck(&reaper);
            cancel_after(1, reaper.async_drop());
            drop(reaper);
            std::mem::forget(alive);
        });
        assert_eq!(told, [("Reaper".to_owned(), Cause::CancelledInCleanup, GuardKind::OfReaper)]);
        let told = reported(|| {
            let reaper = AsyncDropGuard::into_live(Reaper::new()).unwrap();
            let alive = stuck(&reaper);
            cancel_after(1, reaper.async_drop());
            std::mem::forget(alive);
        });
        assert_eq!(told, [("Reaper".to_owned(), Cause::CancelledInCleanup, GuardKind::OfReaper)]);
    }

    #[test]
    fn a_value_whose_reaper_is_gone_says_so() {
        let log = log();
        for polls in 0..2 {
            let told = reported(|| {
                let reaper = Reaper::new();
                let mut guard = reaper.adopt(resource(&log, Ending::Ok));
                drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
                cancel_after(polls, guard.async_drop());
                drop(guard);
            });
            let cause = [Cause::Forgotten, Cause::CancelledInCleanup][polls];
            assert_eq!(told, [("Resource".to_owned(), cause, GuardKind::WithoutReaper)]);
        }
    }

    #[test]
    fn an_opening_whose_reaper_is_gone_is_reported() {
        let log = log();
        let told = reported(|| {
            let reaper = Reaper::new();
            let made = Arc::clone(&log);
            let mut opening = Box::pin(reaper.acquire(async move {
                wait(5).await;
                Ok::<_, Failed>(resource(&made, Ending::Ok))
            }));
            assert!(poll_once(&mut opening).is_pending());
            drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
            drop(opening);
        });
        assert_eq!(told, [("Resource".to_owned(), Cause::ReaperGone, GuardKind::WithoutReaper)]);
    }

    #[test]
    fn hook_panic_after_abandon_ends_no_run() {
        let (reaper, reports) = (Reaper::new(), Reports::collect_and_panic());
        let mut run = reaper.run();
        let shared = Arc::<Mutex<Option<AsyncDropGuard<Reaper>>>>::default();
        let inside = Arc::clone(&shared);
        let orphan = AsyncDropGuard::with_cleanup((), move |()| async move {
            let reaper = inside.lock().unwrap().take().expect("it is put there below");
            assert_eq!(reaper.abandon().undecided, 1);
            drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
            std::future::pending::<()>().await;
        });
        drop(reaper.adopt(orphan));
        *shared.lock().unwrap() = Some(reaper);
        assert!(poll_once(&mut run).is_ready());
        reports.expect_one("the reaper was dropped before it had cleaned up Deferred");
    }
}

#[test]
fn memory_returns_after_a_spike_though_some_stay() {
    let log = log();
    let (mut reaper, mut kept) = (Reaper::new(), Vec::new());
    kept.push(reaper.adopt(resource(&log, Ending::Ok)));
    let info = allocation_counter::measure(|| {
        let mut spike: Vec<_> =
            (0..100_000).map(|_| reaper.adopt(resource(&log, Ending::Ok))).collect();
        // One stays that was adopted at the peak.
        kept.extend(spike.pop());
        drop(spike);
        let mut drain = reaper.drain();
        while !poll_once(&mut drain).is_ready() && log.counts().1 < 99_999 {}
    });
    assert!(info.bytes_max > 10_000_000, "{info:?}");
    // Each of the two keeps one piece of the registry.
    assert!(info.bytes_current < 1_500_000, "{info:?}");
    drop(kept);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn pending_shows_the_stages_and_their_times() {
    let (log, mut reaper) = (log(), Reaper::new());
    let pause = || std::thread::sleep(Duration::from_millis(30));
    let guard = reaper.adopt(resource(&log, Ending::Ok));
    pause();
    let alive = reaper.pending().remove(0);
    assert!(alive.stage == Stage::Alive && alive.in_stage >= Duration::from_millis(30));
    drop(guard);
    let orphaned = reaper.pending().remove(0);
    assert_eq!((orphaned.stage, orphaned.cleanup_has_begun), (Stage::Orphaned, false));
    assert!(orphaned.in_stage < orphaned.age, "{orphaned:?}");
    assert!(orphaned.to_string().contains(" s  orphaned for 0."), "{orphaned}");
    pause();
    let before = reaper.pending().remove(0).in_stage;
    assert!(poll_once(&mut reaper.drain()).is_pending());
    let cleaning = reaper.pending().remove(0);
    assert_eq!((cleaning.stage, cleaning.cleanup_has_begun), (Stage::Orphaned, true));
    assert!(cleaning.in_stage < before, "{cleaning:?}");
    let line = cleaning.to_string();
    assert!(line.contains(" s  orphaned, cleaning for 0."), "{line}");
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn a_stack_being_cleaned_has_its_members_under_it() {
    let (log, mut reaper) = (log(), Reaper::new());
    let before = reaper.adopt(resource(&log, Ending::Ok));
    let mut stack = AsyncDropStack::adopted(&reaper.handle());
    let mut inner = AsyncDropStack::adopted(&reaper.handle());
    inner.push(reaper.adopt(resource(&log, Ending::Ok)));
    let after = reaper.adopt(resource(&log, Ending::Ok));
    stack.push(inner);
    stack.push(reaper.adopt(resource(&log, Ending::Ok)));
    let mut cleanup = Box::pin(stack.async_drop());
    assert!(poll_once(&mut cleanup).is_pending());
    let shown: Vec<_> = reaper
        .pending()
        .iter()
        .map(|it| (it.type_name.clone(), it.stage, it.depth, it.to_string()))
        .collect();
    let depths: Vec<_> = shown.iter().map(|it| it.2).collect();
    assert_eq!(depths, [0, 0, 1, 2, 1, 0], "{shown:?}");
    assert_eq!((&*shown[1].0, shown[1].1), ("AsyncDropStack<Adopted>", Stage::Cleaning));
    assert_eq!(shown[4].1, Stage::Cleaning, "the member on top");
    assert!(shown[3].3.starts_with("    Resource "), "{shown:?}");
    let ages = [0, 3, 4].map(|index| shown[index].3.find(" s  "));
    assert_eq!(ages, [ages[0]; 3], "the columns are aligned at each depth: {shown:?}");
    drop(cleanup);
    drop((stack, before, after));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn a_stack_that_contains_itself_is_shown() {
    let (log, reaper) = (log(), Reaper::new());
    let stacks: Vec<_> = (0..3)
        .map(|_| AsyncDropArc::new(AsyncDropMutex::new(AsyncDropStack::adopted(&reaper))))
        .collect();
    // The first one is in itself, and the others are in each other.
    for (outer, inner) in [(0, 0), (1, 2), (2, 1)] {
        block_on(stacks[outer].lock()).push(AsyncDropArc::clone(&stacks[inner]));
    }
    block_on(stacks[1].lock()).push(reaper.adopt(resource(&log, Ending::Ok)));
    let names = |shown: &[Pending]| shown.iter().map(|it| it.type_name.clone()).collect::<Vec<_>>();
    let stack = "AsyncDropStack<Adopted>";
    assert_eq!(names(&reaper.pending()), [stack, stack, stack, "Resource"]);
    assert_eq!(names(&reaper.abandon().abandoned), [stack, stack, stack, "Resource"]);
    for stack in &stacks {
        block_on(async { stack.lock().await.async_drop_impl().await }).unwrap();
    }
    drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
}
