//! `run_with`: each orphan has a task, which may be dropped at any point.

use super::*;

#[test]
fn spawned_tasks_clean_up_every_orphan() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let tasks = Tasks::default();
        let run = reaper.run_with(tasks.spawner(|task, _| block_on(task)));
        let runner = thread::spawn(move || block_on(run));
        let owners = [0, 1].map(|polls| {
            let guard = Resource { fails: true, ..Resource::new(&ledger) }.adopt(&reaper);
            thread::spawn(move || orphan_after(guard, polls))
        });
        let report = block_on(reaper.async_drop()).unwrap_err();
        assert_eq!((report.cleaned, report.failures.len()), (2, 2), "{report}");
        assert_eq!(ledger.failed.load(SeqCst), 2, "failures told to the hook");
        ledger.assert_all_cleaned(2);
        for owner in owners {
            owner.join().unwrap();
        }
        runner.join().unwrap();
        assert_eq!(tasks.join(), 2, "tasks spawned");
    });
}

/// The drivers finish the cleanups. No orphan is spawned twice.
#[test]
fn drivers_finish_what_dropped_tasks_leave() {
    for has_second_run in [true, false] {
        explore(move || {
            let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
            let tasks = Tasks::default();
            // The tasks are polled never, once and twice. The cleanup needs three polls.
            let run = reaper.run_with(tasks.spawner(drop_after));
            let runs = [Some(run), has_second_run.then(|| reaper.run())];
            let runners = runs.map(|run| run.map(|run| thread::spawn(move || block_on(run))));
            for _ in 0..3 {
                drop(Resource { waits: 2, ..Resource::new(&ledger) }.adopt(&reaper));
            }
            block_on(reaper.async_drop()).unwrap();
            ledger.assert_all_cleaned(3);
            for runner in runners.into_iter().flatten() {
                runner.join().unwrap();
            }
            let spawned = tasks.join();
            assert!(spawned == 3 || (has_second_run && spawned < 3), "{spawned} tasks spawned");
        });
    }
}

/// The `run` is gone when its tasks are dropped, so `drain` finishes the cleanups.
#[test]
fn drain_finishes_what_dropped_tasks_leave() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let tasks = Tasks::default();
        let run = reaper.run_with(tasks.spawner(drop_after));
        let runner = thread::spawn(move || drop_after(run, 1));
        for _ in 0..2 {
            drop(Resource { waits: 2, ..Resource::new(&ledger) }.adopt(&reaper));
        }
        block_on(reaper.async_drop()).unwrap();
        ledger.assert_all_cleaned(2);
        runner.join().unwrap();
        tasks.join();
    });
}

/// A thread that is no driver wakes a cleanup, which its task has polled and perhaps left.
#[test]
fn a_task_and_its_waker_lose_no_wake() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let tasks = Tasks::default();
        let run = reaper.run_with(tasks.spawner(|task, number| match number {
            0 => block_on(task),
            _ => drop_after(task, 1),
        }));
        let runner = thread::spawn(move || block_on(run));
        let setters = [(); 2].map(|()| {
            let event = Arc::<Event>::default();
            let resource = Resource { event: Some(Arc::clone(&event)), ..Resource::new(&ledger) };
            drop(resource.adopt(&reaper));
            thread::spawn(move || event.set())
        });
        block_on(reaper.async_drop()).unwrap();
        ledger.assert_all_cleaned(2);
        for thread in setters {
            thread.join().unwrap();
        }
        runner.join().unwrap();
        assert_eq!(tasks.join(), 2, "tasks spawned");
    });
}

/// The thread of a `run` polls each task once and drops it. Then the `run` goes on on that thread.
#[test]
fn a_run_and_its_tasks_share_a_thread() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let tasks = Arc::<Mutex<Vec<CleanupTask>>>::default();
        let spawned = Arc::clone(&tasks);
        let mut run = Box::pin(reaper.run_with(move |task| spawned.lock().unwrap().push(task)));
        let runner = thread::spawn(move || {
            block_on(std::future::poll_fn(|cx| {
                let poll = run.as_mut().poll(cx);
                let tasks = std::mem::take(&mut *tasks.lock().unwrap());
                for task in tasks {
                    drop_after(task, 1);
                }
                poll
            }));
        });
        let guards = [adopt(&reaper, &ledger), adopt(&reaper, &ledger)];
        let owner = thread::spawn(move || guards.into_iter().for_each(drop));
        block_on(reaper.async_drop()).unwrap();
        ledger.assert_all_cleaned(2);
        owner.join().unwrap();
        runner.join().unwrap();
    });
}
