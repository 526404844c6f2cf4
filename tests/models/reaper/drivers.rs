//! Several drivers: every `run` and every `drain`.

use livedrop::sync::AsyncDropArc;
use shuttle::sync::mpsc::channel;

use super::*;

#[test]
fn drain_finds_every_orphan_at_any_time() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let owners: Vec<_> = (0..3)
            .map(|polls| {
                let guard = adopt(&reaper, &ledger);
                thread::spawn(move || orphan_after(guard, polls))
            })
            .collect();
        let report = block_on(reaper.drain());
        assert!(report.failures.is_empty());
        ledger.assert_all_cleaned(3);
        for owner in owners {
            owner.join().unwrap();
        }
        block_on(reaper.async_drop()).unwrap();
    });
}

/// The handles have no registration of their own: the last one leaves the value to the reaper.
#[test]
fn drain_finds_the_value_of_dropped_handles() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let first = AsyncDropArc::new(adopt(&reaper, &ledger));
        let second = AsyncDropArc::clone(&first);
        let owners = [(0, first), (1, second)]
            .map(|(polls, handle)| thread::spawn(move || orphan_after(handle, polls)));
        assert!(block_on(reaper.drain()).failures.is_empty());
        ledger.assert_all_cleaned(1);
        for owner in owners {
            owner.join().unwrap();
        }
        block_on(reaper.async_drop()).unwrap();
    });
}

/// The reaper resumes the future of `async_drop_via`. The cleanup of the value never begins.
#[test]
fn drain_resumes_another_ending() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let guard = adopt(&reaper, &ledger);
        let owner = thread::spawn(move || {
            let ending = guard.async_drop_via(async |value: Resource| {
                Yield(false).await;
                value.ledger.ended.fetch_add(1, SeqCst);
            });
            drop_after(ending, 1);
        });
        assert!(block_on(reaper.drain()).failures.is_empty());
        assert_eq!(ledger.begun.load(SeqCst), 0, "cleanups begun");
        assert_eq!(ledger.ended(), 1, "endings ended");
        assert_eq!(ledger.dropped.load(SeqCst), 1, "values dropped");
        owner.join().unwrap();
        block_on(reaper.async_drop()).unwrap();
    });
}

#[test]
fn drain_ends_when_owners_have_cleaned_up() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let owners = [(); 2].map(|()| {
            let mut guard = adopt(&reaper, &ledger);
            thread::spawn(move || block_on(guard.async_drop()).unwrap())
        });
        assert_eq!(block_on(reaper.drain()).cleaned, 0);
        ledger.assert_all_cleaned(2);
        for owner in owners {
            owner.join().unwrap();
        }
        block_on(reaper.async_drop()).unwrap();
    });
}

/// Threads that are no driver wake the cleanups, also after their end.
#[test]
fn no_wake_from_another_thread_is_lost() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        let setters = [0, 1].map(|polls| {
            let event = Arc::<Event>::default();
            let resource =
                Resource { waits: 0, event: Some(Arc::clone(&event)), ..Resource::new(&ledger) };
            orphan_after(resource.adopt(&reaper), polls);
            thread::spawn(move || event.set())
        });
        block_on(reaper.async_drop()).unwrap();
        ledger.assert_all_cleaned(2);
        for thread in setters {
            thread.join().unwrap();
        }
        runner.join().unwrap();
    });
}

#[test]
fn run_and_drain_share_the_work() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        let guards = [adopt(&reaper, &ledger), adopt(&reaper, &ledger)];
        let owner = thread::spawn(move || {
            for (polls, guard) in guards.into_iter().enumerate() {
                orphan_after(guard, polls);
            }
        });
        block_on(reaper.async_drop()).unwrap();
        ledger.assert_all_cleaned(2);
        owner.join().unwrap();
        runner.join().unwrap();
    });
}

/// The cleanup of an orphan may need the runtime that polls the `run`.
#[test]
fn drain_polls_nothing_while_a_run_exists() {
    explore(|| {
        let reaper = Reaper::new();
        let run = reaper.run();
        let drainer = thread::current().id();
        let cleanup = AsyncDropGuard::with_cleanup((), async move |()| {
            for _ in 0..2 {
                assert_ne!(thread::current().id(), drainer);
                Yield(false).await;
            }
        });
        let guard = reaper.adopt(cleanup);
        let runner = thread::spawn(move || block_on(run));
        let owner = thread::spawn(move || drop(guard));
        reaper.close();
        let report = block_on(reaper.drain());
        assert_eq!((report.cleaned, report.failures.len()), (1, 0), "{report}");
        owner.join().unwrap();
        runner.join().unwrap();
        forget(reaper);
    });
}

/// The hook is told before the entry goes, so before `drain` ends.
#[test]
fn drain_ends_after_the_hook_was_told() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        for polls in [0, 1] {
            let resource = Resource { fails: true, ..Resource::new(&ledger) };
            orphan_after(resource.adopt(&reaper), polls);
        }
        reaper.close();
        let report = block_on(reaper.drain());
        assert_eq!(ledger.failed.load(SeqCst), 2, "failures told to the hook");
        assert_eq!((report.cleaned, report.failures.len()), (2, 2), "{report}");
        ledger.assert_all_cleaned(2);
        runner.join().unwrap();
        forget(reaper);
    });
}

/// The remaining driver takes over the orphans of a dropped one.
#[test]
fn drain_takes_over_from_a_dropped_run() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let guard = adopt(&reaper, &ledger);
        let run = reaper.run();
        let runner = thread::spawn(move || drop_after(run, 2));
        let owner = thread::spawn(move || orphan_after(guard, 1));
        assert!(block_on(reaper.drain()).failures.is_empty());
        ledger.assert_all_cleaned(1);
        runner.join().unwrap();
        owner.join().unwrap();
        block_on(reaper.async_drop()).unwrap();
    });
}

/// The same with the roles exchanged, and a cleanup that waits longer than one driver polls it.
#[test]
fn run_takes_over_from_a_dropped_drain() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Arc::new(Reaper::new()));
        let guard = Resource { waits: 3, ..Resource::new(&ledger) }.adopt(&reaper);
        reaper.close();
        let shared = Arc::clone(&reaper);
        let drainer = thread::spawn(move || drop_after(shared.drain(), 1));
        let owner = thread::spawn(move || orphan_after(guard, 0));
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        runner.join().unwrap();
        ledger.assert_all_cleaned(1);
        drainer.join().unwrap();
        owner.join().unwrap();
        let mut reaper = Arc::into_inner(reaper).expect("the others have ended");
        block_on(reaper.async_drop()).unwrap();
    });
}

/// One of two runs is polled once and kept. The `drain` only waits, because there are runs.
#[test]
fn a_sleeping_run_delays_no_other_driver() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let (mut sleeping, run) = (Box::pin(reaper.run()), reaper.run());
        let sleeper = thread::spawn(move || {
            let _ = poll_once(sleeping.as_mut());
            sleeping
        });
        let runner = thread::spawn(move || block_on(run));
        let owners = [0, 1].map(|polls| {
            let guard = Resource { waits: 2, ..Resource::new(&ledger) }.adopt(&reaper);
            thread::spawn(move || orphan_after(guard, polls))
        });
        block_on(reaper.async_drop()).unwrap();
        ledger.assert_all_cleaned(2);
        for owner in owners {
            owner.join().unwrap();
        }
        runner.join().unwrap();
        drop(sleeper.join().unwrap());
    });
}

/// A `drain` is polled once and kept, as by a `select!` whose other branch runs.
#[test]
fn a_sleeping_drain_delays_no_run() {
    for run_is_first in [true, false] {
        explore(move || {
            let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
            let owners = [0, 1].map(|polls| {
                let guard = adopt(&reaper, &ledger);
                thread::spawn(move || orphan_after(guard, polls))
            });
            reaper.close();
            let start = || {
                let run = reaper.run();
                thread::spawn(move || block_on(run))
            };
            let early = run_is_first.then(start);
            let mut drain = pin!(reaper.drain());
            let _ = poll_once(drain.as_mut());
            let runner = early.unwrap_or_else(start);
            runner.join().unwrap();
            ledger.assert_all_cleaned(2);
            for owner in owners {
                owner.join().unwrap();
            }
        });
    }
}

#[test]
fn a_sleeping_drain_delays_no_other_drain() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Arc::new(Reaper::new()));
        let guards = [adopt(&reaper, &ledger), adopt(&reaper, &ledger)];
        let owner = thread::spawn(move || guards.into_iter().for_each(drop));
        let shared = Arc::clone(&reaper);
        let drainer = thread::spawn(move || block_on(shared.drain()).cleaned);
        let mut drain = pin!(reaper.drain());
        let _ = poll_once(drain.as_mut());
        drainer.join().unwrap();
        ledger.assert_all_cleaned(2);
        owner.join().unwrap();
    });
}

/// The first cleanup blocks its thread until the second one has ended.
#[test]
fn a_blocked_driver_delays_no_other_driver() {
    explore(|| {
        let mut reaper = Reaper::new();
        let runners = [reaper.run(), reaper.run()].map(|run| thread::spawn(move || block_on(run)));
        let (sender, receiver) = channel();
        let slow = AsyncDropGuard::with_cleanup(receiver, async |receiver| {
            receiver.recv().unwrap();
        });
        let fast = AsyncDropGuard::with_cleanup(sender, async |sender| {
            Yield(false).await;
            sender.send(()).unwrap();
        });
        drop(reaper.adopt(slow));
        drop(reaper.adopt(fast));
        block_on(reaper.async_drop()).unwrap();
        for runner in runners {
            runner.join().unwrap();
        }
    });
}

/// It only waits. If it polled orphans, each of them could drain, too, and overflow the stack.
#[test]
fn drain_inside_a_cleanup_polls_nothing() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Arc::new(Reaper::new()));
        let polls = Arc::clone(&ledger);
        let draining = AsyncDropGuard::with_cleanup(Arc::clone(&reaper), async move |reaper| {
            let before = polls.polls.lock().unwrap().len();
            let _ = poll_once(pin!(reaper.drain()));
            assert_eq!(polls.polls.lock().unwrap().len(), before);
            Yield(false).await;
        });
        let guards = [adopt(&reaper, &ledger), adopt(&reaper, &ledger)];
        let owner = thread::spawn(move || guards.into_iter().for_each(drop));
        drop(reaper.adopt(draining));
        let report = block_on(reaper.drain());
        assert!(report.failures.is_empty(), "{report}");
        ledger.assert_all_cleaned(2);
        owner.join().unwrap();
    });
}

/// The second call of `drain` finds what came after the first one.
#[test]
fn every_drain_reports_what_ended_since() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let guards = [adopt(&reaper, &ledger), adopt(&reaper, &ledger)];
        let owner = thread::spawn(move || guards.into_iter().for_each(drop));
        let cleaned = [block_on(reaper.drain()), reaper.take_report(), block_on(reaper.drain())]
            .map(|report| report.cleaned);
        assert_eq!(cleaned.iter().sum::<usize>(), 2, "{cleaned:?}");
        owner.join().unwrap();
        block_on(reaper.async_drop()).unwrap();
    });
}

#[test]
fn drain_finishes_a_shielded_future() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let callers = [0, 1, 2, 3].map(|polls| {
            let ledger = Arc::clone(&ledger);
            let shield = reaper.shield(async move {
                ledger.begun.fetch_add(1, SeqCst);
                Yield(false).await;
                Yield(false).await;
                ledger.ended.fetch_add(1, SeqCst);
            });
            (polls, shield)
        });
        let caller = thread::spawn(move || {
            for (polls, shield) in callers {
                drop_after(shield, polls);
            }
        });
        let drained = block_on(reaper.drain()).cleaned;
        caller.join().unwrap();
        let cleaned = drained + block_on(reaper.drain()).cleaned;
        assert_eq!(cleaned, 2, "two callers are gone before the end");
        assert_eq!(ledger.begun.load(SeqCst), 3, "one is dropped before its first poll");
        assert_eq!(ledger.ended(), 3);
        block_on(reaper.async_drop()).unwrap();
    });
}

/// The opening has a side effect before it waits. Its caller is gone before that, after it, or not at all.
#[test]
fn drain_finishes_a_cancelled_opening() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let opened = Arc::new(AtomicUsize::new(0));
        let openings = [0, 1, 2].map(|polls| {
            let (ledger, opened) = (Arc::clone(&ledger), Arc::clone(&opened));
            let opening = reaper.acquire(async move {
                opened.fetch_add(1, SeqCst);
                Yield(false).await;
                Ok::<_, Failed>(AsyncDropGuard::new(Resource::new(&ledger)))
            });
            (polls, opening)
        });
        let caller = thread::spawn(move || {
            for (polls, opening) in openings {
                drop_after(opening, polls);
            }
        });
        let _ = block_on(reaper.drain());
        caller.join().unwrap();
        block_on(reaper.async_drop()).unwrap();
        assert_eq!(opened.load(SeqCst), 2, "one is dropped before its first poll");
        ledger.assert_all_cleaned(2);
    });
}

#[test]
fn the_smallest_program_in_every_order() {
    shuttle::check_dfs(
        || {
            let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
            let guard = adopt(&reaper, &ledger);
            let owner = thread::spawn(move || orphan_after(guard, 1));
            assert!(block_on(reaper.drain()).failures.is_empty());
            ledger.assert_all_cleaned(1);
            owner.join().unwrap();
            block_on(reaper.async_drop()).unwrap();
        },
        Some(20_000),
    );
}

#[test]
fn the_last_run_leaves_in_every_order() {
    shuttle::check_dfs(
        || {
            let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
            let run = reaper.run();
            drop(Resource { waits: 0, ..Resource::new(&ledger) }.adopt(&reaper));
            let runner = thread::spawn(move || drop(run));
            block_on(reaper.async_drop()).unwrap();
            ledger.assert_all_cleaned(1);
            runner.join().unwrap();
        },
        Some(20_000),
    );
}
