//! `abandon` while others poll: each value has one outcome.

use std::task::Wake;

use super::*;

/// Makes three orphans. The cleanup of the first one ends at its first poll.
fn orphans(reaper: &ReaperHandle, ledger: &Arc<Ledger>) {
    for waits in 0..3 {
        drop(Resource { waits, fails: true, ..Resource::new(ledger) }.adopt(reaper));
    }
}

/// An orphan that is being polled may be decided only after the reaper is gone.
#[test]
fn abandon_races_a_poll_and_the_drop() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        orphans(&reaper, &ledger);
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        delay();
        let report = reaper.abandon();
        forget(reaper);
        runner.join().unwrap();
        ledger.assert_one_outcome_each(3, report.abandoned.len());
        assert_eq!(ledger.failed.load(SeqCst), ledger.ended(), "failures told to the hook");
    });
}

/// The same with one value, so that two outcomes of one value cannot stand for another one.
#[test]
fn abandon_gives_a_value_one_outcome() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        drop(adopt(&reaper, &ledger));
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        delay();
        let report = reaper.abandon();
        forget(reaper);
        runner.join().unwrap();
        ledger.assert_one_outcome_each(1, report.abandoned.len());
    });
}

/// The reaper stays, so a report names what was being polled.
#[test]
fn the_next_report_names_a_polled_orphan() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        orphans(&reaper, &ledger);
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        delay();
        let first = reaper.abandon();
        runner.join().unwrap();
        let second = reaper.take_report();
        forget(reaper);
        ledger.assert_one_outcome_each(3, first.abandoned.len() + second.abandoned.len());
        assert_eq!(ledger.reported(), 0, "the reports name all of them");
        let cleaned = first.cleaned + second.cleaned;
        let failures = first.failures.len() + second.failures.len();
        assert_eq!((cleaned, failures), (ledger.ended(), ledger.ended()));
        assert_eq!(ledger.failed.load(SeqCst), ledger.ended(), "failures told to the hook");
    });
}

/// A `drain` is a driver, too, and ends.
#[test]
fn abandon_ends_a_drain() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Arc::new(Reaper::new()));
        let held = adopt(&reaper, &ledger);
        orphans(&reaper, &ledger);
        let shared = Arc::clone(&reaper);
        let waiter = thread::spawn(move || block_on(shared.drain()));
        delay();
        let first = reaper.abandon();
        let drained = waiter.join().unwrap();
        let second = reaper.take_report();
        drop(held);
        let named = [first, drained, second].map(|report| report.abandoned.len());
        ledger.assert_one_outcome_each(4, named.iter().sum());
        assert_eq!(ledger.reported(), 0, "the reports name all of them");
        forget(Arc::into_inner(reaper).expect("the other has ended"));
    });
}

/// The report names the values, whether they are orphans by then or not.
#[test]
fn an_abandoned_owner_drops_silently() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        let guards = [0, 1].map(|polls| (polls, adopt(&reaper, &ledger)));
        let owners = guards.map(|(polls, guard)| thread::spawn(move || orphan_after(guard, polls)));
        delay();
        let report = reaper.abandon();
        forget(reaper);
        for owner in owners {
            owner.join().unwrap();
        }
        assert_eq!((report.abandoned.len(), ledger.reported()), (2, 0));
        ledger.assert_one_outcome_each(2, 2);
    });
}

/// The cleanups of two orphans never end, so nobody else wakes their tasks.
#[test]
fn abandon_ends_spawned_tasks() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        let tasks = Tasks::default();
        let run = reaper.run_with(tasks.spawner(|task, _| block_on(task)));
        for event in [Some(Arc::default()), Some(Arc::default()), None] {
            drop(Resource { event, ..Resource::new(&ledger) }.adopt(&reaper));
        }
        let runner = thread::spawn(move || block_on(run));
        delay();
        let report = reaper.abandon();
        forget(reaper);
        runner.join().unwrap();
        tasks.join();
        ledger.assert_one_outcome_each(3, report.abandoned.len());
    });
}

/// Takes the lock of the reaper when its last clone is dropped.
struct LockingWaker {
    task: Waker,
    handle: ReaperHandle,
}

impl Wake for LockingWaker {
    fn wake(self: Arc<Self>) {
        self.task.wake_by_ref();
    }
}

impl Drop for LockingWaker {
    fn drop(&mut self) {
        let _ = self.handle.is_closed();
    }
}

/// Polls the future with a new [`LockingWaker`] each time.
fn block_on_locking<F: Future>(future: F, handle: &ReaperHandle) -> F::Output {
    let mut future = pin!(future);
    block_on(std::future::poll_fn(|cx| {
        let (task, handle) = (cx.waker().clone(), handle.clone());
        let waker = Waker::from(Arc::new(LockingWaker { task, handle }));
        future.as_mut().poll(&mut Context::from_waker(&waker))
    }))
}

#[test]
fn no_waker_is_dropped_under_the_lock() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Arc::new(Reaper::new()));
        let handles: Vec<_> = (0..3).map(|_| reaper.handle()).collect();
        let [of_task, of_run, of_drain] = <[_; 3]>::try_from(handles).expect("there are three");
        let threads = Tasks::default();
        let spawned = Arc::clone(&threads.0);
        let run = reaper.run_with(move |task| {
            let handle = of_task.clone();
            let thread = thread::spawn(move || block_on_locking(task, &handle));
            spawned.lock().unwrap().push(thread);
        });
        for event in [Some(Arc::default()), None] {
            drop(Resource { event, ..Resource::new(&ledger) }.adopt(&reaper));
        }
        let runner = thread::spawn(move || block_on_locking(run, &of_run));
        let shared = Arc::clone(&reaper);
        let waiter = thread::spawn(move || block_on_locking(shared.drain(), &of_drain));
        delay();
        let first = reaper.abandon();
        runner.join().unwrap();
        threads.join();
        let drained = waiter.join().unwrap();
        let second = reaper.take_report();
        let named = [first, drained, second].map(|report| report.abandoned.len());
        ledger.assert_one_outcome_each(2, named.iter().sum());
        forget(Arc::into_inner(reaper).expect("the other has ended"));
    });
}
