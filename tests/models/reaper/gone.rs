//! The reaper is dropped without its cleanup while others use it.

use super::*;

#[test]
fn forgotten_reaper_reports_every_value_it_loses() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        let guards = [0, 1, 1].map(|polls| (polls, adopt(&reaper, &ledger)));
        let owners = guards.map(|(polls, guard)| thread::spawn(move || orphan_after(guard, polls)));
        delay();
        forget(reaper);
        for owner in owners {
            owner.join().unwrap();
        }
        ledger.assert_one_outcome_each(3, 0);
    });
}

#[test]
fn forgotten_reaper_and_dropped_run_lose_nothing_silently() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        let guard = adopt(&reaper, &ledger);
        let run = reaper.run();
        let runner = thread::spawn(move || drop_after(run, 3));
        let owner = thread::spawn(move || orphan_after(guard, 1));
        delay();
        forget(reaper);
        owner.join().unwrap();
        runner.join().unwrap();
        ledger.assert_one_outcome_each(1, 0);
    });
}

/// The orphan of a task belongs to the task until it ends or is dropped.
#[test]
fn forgotten_reaper_and_task_lose_nothing_silently() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        let tasks = Tasks::default();
        // The first two are dropped before their end, the third is not.
        let run = reaper.run_with(tasks.spawner(|task, number| drop_after(task, 2 * number)));
        let guards = [(); 3].map(|()| adopt(&reaper, &ledger));
        let runner = thread::spawn(move || drop_after(run, 2));
        let owner = thread::spawn(move || guards.into_iter().for_each(drop));
        delay();
        forget(reaper);
        owner.join().unwrap();
        runner.join().unwrap();
        tasks.join();
        ledger.assert_one_outcome_each(3, 0);
    });
}

/// It ends the cleanup of its orphan. Only orphans without a task are lost.
#[test]
fn a_task_outlives_its_run_and_reaper() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        let tasks = Tasks::default();
        let run = reaper.run_with(tasks.spawner(|task, _| block_on(task)));
        let runner = thread::spawn(move || drop_after(run, 2));
        for _ in 0..2 {
            drop(Resource { waits: 2, ..Resource::new(&ledger) }.adopt(&reaper));
        }
        delay();
        forget(reaper);
        runner.join().unwrap();
        let spawned = tasks.join();
        assert_eq!(ledger.ended(), spawned, "cleanups ended");
        ledger.assert_one_outcome_each(2, 0);
    });
}

/// The deadline comes at any point of the cleanups.
#[test]
fn shutdown_accounts_for_every_value() {
    for has_run in [true, false] {
        explore(move || {
            let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
            let runner = has_run.then(|| {
                let run = reaper.run();
                thread::spawn(move || block_on(run))
            });
            let owners = [0, 1].map(|polls| {
                let guard = adopt(&reaper, &ledger);
                thread::spawn(move || orphan_after(guard, polls))
            });
            delay();
            let report = block_on(Reaper::shutdown(reaper, Yield(false)));
            for thread in owners.into_iter().chain(runner) {
                thread.join().unwrap();
            }
            ledger.assert_one_outcome_each(2, report.abandoned.len());
        });
    }
}
