//! Lanes and `set_concurrency`: what the reaper does not do at the same time.

use super::*;

impl Ledger {
    /// Returns the numbers of the values in the order in which the reaper polled their cleanups. Asserts
    /// that it polled no other cleanup between the first and the last poll of one.
    fn order(&self) -> Vec<usize> {
        let mut order = self.polls.lock().unwrap().clone();
        order.dedup();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), order.len(), "one after another: {order:?}");
        order
    }

    /// Forgets the polls of owners.
    fn forget_polls(&self) {
        self.polls.lock().unwrap().clear();
    }
}

/// Adopts three values in one lane. The owner of the second one has polled its cleanup.
fn adopt_in_a_lane(
    reaper: &Reaper,
    ledger: &Arc<Ledger>,
) -> [AsyncDropGuard<Resource, Adopted>; 3] {
    let lane = reaper.ordered();
    let mut guards =
        [0, 1, 2].map(|number| Resource { number, waits: 2, ..Resource::new(ledger) }.adopt(&lane));
    drop_after(guards[1].async_drop(), 1);
    ledger.forget_polls();
    guards
}

#[test]
fn a_lane_keeps_the_order_of_orphaning() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let [first, second, third] = adopt_in_a_lane(&reaper, &ledger);
        let runners = [reaper.run(), reaper.run()].map(|run| thread::spawn(move || block_on(run)));
        let owner = thread::spawn(move || [third, second, first].into_iter().for_each(drop));
        block_on(reaper.async_drop()).unwrap();
        ledger.assert_all_cleaned(3);
        assert_eq!(ledger.order(), [2, 1, 0]);
        owner.join().unwrap();
        for runner in runners {
            runner.join().unwrap();
        }
    });
}

/// The order of two threads is open, but each has its own, and the values stay one after another.
#[test]
fn a_lane_keeps_each_threads_order() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let [first, second, third] = adopt_in_a_lane(&reaper, &ledger);
        let owners = [
            thread::spawn(move || drop(second)),
            thread::spawn(move || [third, first].into_iter().for_each(drop)),
        ];
        block_on(reaper.async_drop()).unwrap();
        ledger.assert_all_cleaned(3);
        let order = ledger.order();
        let place = |number| order.iter().position(|it| *it == number);
        assert!(place(2) < place(0), "{order:?}");
        for owner in owners {
            owner.join().unwrap();
        }
    });
}

/// A dropped task leaves the place in the lane to the drivers.
#[test]
fn a_lane_keeps_its_order_over_tasks() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let [first, second, third] = adopt_in_a_lane(&reaper, &ledger);
        let tasks = Tasks::default();
        let run = reaper.run_with(tasks.spawner(|task, number| match number {
            0 => block_on(task),
            _ => drop_after(task, number),
        }));
        let runner = thread::spawn(move || block_on(run));
        let owner = thread::spawn(move || [second, third, first].into_iter().for_each(drop));
        block_on(reaper.async_drop()).unwrap();
        ledger.assert_all_cleaned(3);
        assert_eq!(ledger.order(), [1, 2, 0]);
        owner.join().unwrap();
        runner.join().unwrap();
        assert_eq!(tasks.join(), 3, "tasks spawned");
    });
}

/// An owner that has cleaned up is in nobody's way.
#[test]
fn an_owner_does_not_hold_up_its_lane() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let [mut first, second, third] = adopt_in_a_lane(&reaper, &ledger);
        let owner = thread::spawn(move || {
            drop(second);
            block_on(first.async_drop()).unwrap();
            drop(third);
        });
        assert_eq!(block_on(reaper.drain()).cleaned, 2);
        ledger.assert_all_cleaned(3);
        owner.join().unwrap();
        block_on(reaper.async_drop()).unwrap();
    });
}

/// Only the first orphan of a lane has its turn, so the others are not being polled.
#[test]
fn abandon_names_the_blocked_of_a_lane() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        let [first, second, third] = adopt_in_a_lane(&reaper, &ledger);
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        let owner = thread::spawn(move || [first, second, third].into_iter().for_each(drop));
        delay();
        let report = reaper.abandon();
        forget(reaper);
        owner.join().unwrap();
        runner.join().unwrap();
        ledger.assert_one_outcome_each(3, report.abandoned.len());
    });
}

#[test]
fn a_limit_of_one_serializes_two_drivers() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        reaper.set_concurrency(1);
        let runners = [reaper.run(), reaper.run()].map(|run| thread::spawn(move || block_on(run)));
        let guards = [0, 1, 2]
            .map(|number| Resource { number, waits: 2, ..Resource::new(&ledger) }.adopt(&reaper));
        let owner = thread::spawn(move || guards.into_iter().for_each(drop));
        block_on(reaper.async_drop()).unwrap();
        ledger.assert_all_cleaned(3);
        assert_eq!(ledger.order().len(), 3);
        owner.join().unwrap();
        for runner in runners {
            runner.join().unwrap();
        }
    });
}

/// The tasks are polled never, once, and to their end.
#[test]
fn a_limit_of_one_serializes_tasks() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        reaper.set_concurrency(1);
        let tasks = Tasks::default();
        let run = reaper.run_with(tasks.spawner(|task, number| match number {
            2 => block_on(task),
            _ => drop_after(task, number),
        }));
        let runner = thread::spawn(move || block_on(run));
        for number in 0..3 {
            drop(Resource { number, ..Resource::new(&ledger) }.adopt(&reaper));
        }
        block_on(reaper.async_drop()).unwrap();
        ledger.assert_all_cleaned(3);
        assert_eq!(ledger.order().len(), 3);
        runner.join().unwrap();
        assert_eq!(tasks.join(), 3, "tasks spawned");
    });
}

/// The first cleanup waits for the second one, which a limit of one keeps from its begin.
#[test]
fn a_higher_limit_begins_waiting_orphans() {
    explore(|| {
        let reaper = Reaper::new();
        reaper.set_concurrency(1);
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        let event = Arc::<Event>::default();
        let waits = AsyncDropGuard::with_cleanup(Arc::clone(&event), async |event| {
            event.wait().await;
        });
        drop(reaper.adopt(waits));
        drop(reaper.adopt(AsyncDropGuard::with_cleanup(event, async |event| event.set())));
        reaper.close();
        delay();
        reaper.set_concurrency(2);
        runner.join().unwrap();
        assert_eq!(reaper.take_report().cleaned, 2);
        forget(reaper);
    });
}

/// An orphan that was ready under the old limit must wait for a task, which is no driver.
#[test]
fn a_lower_limit_loses_no_orphan() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let tasks = Tasks::default();
        let run = reaper.run_with(tasks.spawner(|task, _| block_on(task)));
        let runner = thread::spawn(move || block_on(run));
        let guards = [0, 1].map(|_| adopt(&reaper, &ledger));
        for guard in guards {
            drop(guard);
            delay();
        }
        reaper.set_concurrency(1);
        let _ = block_on(reaper.drain());
        ledger.assert_all_cleaned(2);
        block_on(reaper.async_drop()).unwrap();
        runner.join().unwrap();
        assert_eq!(tasks.join(), 2, "tasks spawned");
    });
}
