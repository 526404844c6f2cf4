//! `close` on one thread, and what a closed reaper refuses on another one.

use livedrop::reaper::TryAcquireError;

use super::*;

#[test]
fn close_races_adopting() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let handle = reaper.handle();
        let late_ledger = Arc::clone(&ledger);
        let late = thread::spawn(move || drop(adopt(&handle, &late_ledger)));
        delay();
        block_on(reaper.async_drop()).unwrap();
        drop(reaper);
        late.join().unwrap();
        ledger.assert_one_outcome_each(1, 0);
    });
}

/// The guard comes back if the reaper is closed.
#[test]
fn close_races_try_adopt() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let handle = reaper.handle();
        let guard = AsyncDropGuard::new(Resource::new(&ledger));
        let late = thread::spawn(move || match handle.try_adopt(guard) {
            Ok(adopted) => drop(adopted),
            Err(mut refused) => block_on(refused.async_drop()).unwrap(),
        });
        delay();
        block_on(reaper.async_drop()).unwrap();
        drop(reaper);
        late.join().unwrap();
        ledger.assert_all_cleaned(1);
    });
}

/// The opening of a value, which waits once. `begun` counts the cleanups, `opened` the openings.
async fn open(
    ledger: Arc<Ledger>,
    opened: Arc<AtomicUsize>,
) -> Result<AsyncDropGuard<Resource>, Failed> {
    Yield(false).await;
    opened.fetch_add(1, SeqCst);
    Ok(AsyncDropGuard::new(Resource::new(&ledger)))
}

/// What was opened is in time for the `drain` that follows.
#[test]
fn close_races_try_acquire() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let opened = Arc::new(AtomicUsize::new(0));
        let opening = reaper.try_acquire(open(Arc::clone(&ledger), Arc::clone(&opened)));
        let caller = thread::spawn(move || match block_on(opening) {
            Ok(_guard) => true,
            Err(TryAcquireError::Closed) => false,
            Err(TryAcquireError::Open(Failed)) => unreachable!("it never fails"),
        });
        delay();
        block_on(reaper.async_drop()).unwrap();
        drop(reaper);
        let has_guard = caller.join().unwrap();
        assert_eq!(opened.load(SeqCst), usize::from(has_guard));
        ledger.assert_all_cleaned(usize::from(has_guard));
    });
}

/// `acquire` opens also after `close`, but its guard is not lost silently.
#[test]
fn close_races_acquire() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let opened = Arc::new(AtomicUsize::new(0));
        let opening = reaper.acquire(open(Arc::clone(&ledger), Arc::clone(&opened)));
        let caller = thread::spawn(move || drop(block_on(opening).unwrap()));
        delay();
        block_on(reaper.async_drop()).unwrap();
        drop(reaper);
        caller.join().unwrap();
        assert_eq!(opened.load(SeqCst), 1);
        ledger.assert_one_outcome_each(1, 0);
    });
}

/// The callers are gone before their openings have ended.
#[test]
fn close_races_cancelled_openings() {
    explore(|| {
        let ((ledger, _hook), mut reaper) = (Ledger::new(), Reaper::new());
        let opened = Arc::new(AtomicUsize::new(0));
        let open = || open(Arc::clone(&ledger), Arc::clone(&opened));
        let (plain, trying) = (reaper.acquire(open()), reaper.try_acquire(open()));
        let callers = [
            thread::spawn(move || drop_after(plain, 1)),
            thread::spawn(move || drop_after(trying, 1)),
        ];
        delay();
        block_on(reaper.async_drop()).unwrap();
        drop(reaper);
        for caller in callers {
            caller.join().unwrap();
        }
        ledger.assert_all_cleaned(opened.load(SeqCst));
    });
}

#[test]
fn close_ends_a_waiting_run() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        let runners = [reaper.run(), reaper.run()].map(|run| thread::spawn(move || block_on(run)));
        drop(adopt(&reaper, &ledger));
        delay();
        reaper.close();
        for runner in runners {
            runner.join().unwrap();
        }
        ledger.assert_all_cleaned(1);
        forget(reaper);
    });
}

/// A reaper that is gone is closed by its last handle. Its `run` cleans up what is left, and ends.
#[test]
fn the_last_handle_ends_a_run() {
    explore(|| {
        let ((ledger, _hook), reaper) = (Ledger::new(), Reaper::new());
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        let owners = [(); 2].map(|()| {
            let (handle, ledger) = (reaper.handle(), Arc::clone(&ledger));
            thread::spawn(move || drop(adopt(&handle, &ledger)))
        });
        delay();
        forget(reaper);
        for owner in owners {
            owner.join().unwrap();
        }
        runner.join().unwrap();
        ledger.assert_all_cleaned(2);
    });
}
