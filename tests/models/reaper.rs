//! Model tests of the reaper: an owner drops its guard while `drain` runs, while `run` runs, and while
//! the reaper ends, in many orders.
//!
//! To the model, each use of the reaper's locks is one step. It does not see the inside of
//! `FuturesUnordered` and of the executor.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use livedrop::hook::{self, Unhandled};
use livedrop::sync::AsyncDropArc;
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Reaper, ReaperHandle};
use shuttle::future::block_on;
use shuttle::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle::thread;

const ORDERS: usize = 2_000;
const DEPTH: usize = 3;

/// The counts of the values of a program.
struct Ledger {
    begun: AtomicUsize,
    ended: AtomicUsize,
    dropped: AtomicUsize,
    reported: AtomicUsize,
}

impl Ledger {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
            reported: AtomicUsize::new(0),
        })
    }

    fn assert_all_cleaned(&self, values: usize) {
        assert_eq!(self.begun.load(SeqCst), values, "cleanups begun");
        assert_eq!(self.ended.load(SeqCst), values, "cleanups ended");
        assert_eq!(self.dropped.load(SeqCst), values, "values dropped");
        assert_eq!(self.reported.load(SeqCst), 0, "values reported as lost");
    }

    /// Asserts that each value was either cleaned up or reported, and not both.
    fn assert_none_unaccounted(&self, values: usize) {
        assert!(self.begun.load(SeqCst) <= values, "none is restarted");
        let accounted = self.ended.load(SeqCst) + self.reported.load(SeqCst);
        assert_eq!(accounted, values, "cleaned up or reported");
        assert_eq!(self.dropped.load(SeqCst), values, "values dropped");
    }

    /// Counts reports instead of panicking. Shuttle's threads share one real thread, so its hook.
    fn listen(self: &Arc<Self>) -> hook::ScopedHook {
        let ledger = Arc::clone(self);
        hook::scoped(move |unhandled| {
            if let Unhandled::Forgotten { type_name: "Resource", .. } = unhandled {
                ledger.reported.fetch_add(1, SeqCst);
            }
        })
    }
}

struct Resource {
    ledger: Arc<Ledger>,
    waits: usize,
}

#[async_trait]
impl AsyncDrop for Resource {
    type Error = std::convert::Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.ledger.begun.fetch_add(1, SeqCst);
        for _ in 0..self.waits {
            Yield(false).await;
        }
        self.ledger.ended.fetch_add(1, SeqCst);
        Ok(())
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        self.ledger.dropped.fetch_add(1, SeqCst);
    }
}

/// Waits once.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn adopt(reaper: &ReaperHandle, ledger: &Arc<Ledger>) -> AsyncDropGuard<Resource, Adopted> {
    adopt_waiting(reaper, ledger, 1)
}

fn adopt_waiting(
    reaper: &ReaperHandle,
    ledger: &Arc<Ledger>,
    waits: usize,
) -> AsyncDropGuard<Resource, Adopted> {
    reaper.adopt(AsyncDropGuard::new(Resource { ledger: Arc::clone(ledger), waits }))
}

/// Polls the cleanup `polls` times, and drops the guard.
fn orphan_after<T>(mut guard: AsyncDropGuard<T, Adopted>, polls: usize)
where
    T: AsyncDrop<Error: 'static>,
{
    let mut cleanup = pin!(guard.async_drop());
    for _ in 0..polls {
        let _ = cleanup.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

fn explore(program: impl Fn() + Copy + Send + Sync + 'static) {
    shuttle::check_random(program, ORDERS);
    shuttle::check_pct(program, ORDERS, DEPTH);
}

#[test]
fn drain_finds_every_orphan_at_any_time() {
    explore(|| {
        let (ledger, mut reaper) = (Ledger::new(), Reaper::new());
        let _hook = ledger.listen();
        let owners: Vec<_> = (0..3)
            .map(|polls| {
                let guard = adopt(&reaper.handle(), &ledger);
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
        let (ledger, mut reaper) = (Ledger::new(), Reaper::new());
        let _hook = ledger.listen();
        let first = AsyncDropArc::new(adopt(&reaper.handle(), &ledger));
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
        let (ledger, mut reaper) = (Ledger::new(), Reaper::new());
        let _hook = ledger.listen();
        let guard = adopt(&reaper.handle(), &ledger);
        let owner = thread::spawn(move || {
            let mut ending = pin!(guard.async_drop_via(async |value: Resource| {
                Yield(false).await;
                value.ledger.ended.fetch_add(1, SeqCst);
            }));
            let _ = ending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        assert!(block_on(reaper.drain()).failures.is_empty());
        assert_eq!(ledger.begun.load(SeqCst), 0, "cleanups begun");
        assert_eq!(ledger.ended.load(SeqCst), 1, "endings ended");
        assert_eq!(ledger.dropped.load(SeqCst), 1, "values dropped");
        owner.join().unwrap();
        block_on(reaper.async_drop()).unwrap();
    });
}

#[test]
fn run_and_drain_share_the_work() {
    explore(|| {
        let (ledger, mut reaper) = (Ledger::new(), Reaper::new());
        let _hook = ledger.listen();
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        let guards = [adopt(&reaper.handle(), &ledger), adopt(&reaper.handle(), &ledger)];
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

/// The remaining driver takes over the orphans of a dropped one.
#[test]
fn drain_takes_over_from_a_dropped_run() {
    explore(|| {
        let (ledger, mut reaper) = (Ledger::new(), Reaper::new());
        let _hook = ledger.listen();
        let guard = adopt(&reaper.handle(), &ledger);
        let mut run = Box::pin(reaper.run());
        let runner = thread::spawn(move || {
            let _ = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            thread::yield_now();
            let _ = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
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
        let (ledger, reaper) = (Ledger::new(), Arc::new(Reaper::new()));
        let _hook = ledger.listen();
        let guard = adopt_waiting(&reaper.handle(), &ledger, 3);
        reaper.close();
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        let shared = Arc::clone(&reaper);
        let drainer = thread::spawn(move || {
            let mut drain = pin!(shared.drain());
            let _ = drain.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        let owner = thread::spawn(move || orphan_after(guard, 0));
        runner.join().unwrap();
        ledger.assert_all_cleaned(1);
        drainer.join().unwrap();
        owner.join().unwrap();
        let mut reaper = Arc::into_inner(reaper).expect("the others have ended");
        block_on(reaper.async_drop()).unwrap();
    });
}

#[test]
fn forgotten_reaper_reports_every_value_it_loses() {
    explore(|| {
        let (ledger, reaper) = (Ledger::new(), Reaper::new());
        let _hook = ledger.listen();
        let guards = [0, 1, 1].map(|polls| (polls, adopt(&reaper.handle(), &ledger)));
        let owners = guards.map(|(polls, guard)| thread::spawn(move || orphan_after(guard, polls)));
        drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
        for owner in owners {
            owner.join().unwrap();
        }
        ledger.assert_none_unaccounted(3);
    });
}

#[test]
fn forgotten_reaper_and_ended_run_account_for_everything() {
    explore(|| {
        let (ledger, reaper) = (Ledger::new(), Reaper::new());
        let _hook = ledger.listen();
        let guard = adopt(&reaper.handle(), &ledger);
        let mut run = Box::pin(reaper.run());
        let runner = thread::spawn(move || {
            for _ in 0..3 {
                let _ = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
        });
        let owner = thread::spawn(move || orphan_after(guard, 1));
        drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
        owner.join().unwrap();
        runner.join().unwrap();
        ledger.assert_none_unaccounted(1);
    });
}

#[test]
fn adopting_races_closing() {
    explore(|| {
        let (ledger, mut reaper) = (Ledger::new(), Reaper::new());
        let _hook = ledger.listen();
        let handle = reaper.handle();
        let ledger_of_late = Arc::clone(&ledger);
        let late = thread::spawn(move || drop(adopt(&handle, &ledger_of_late)));
        block_on(reaper.async_drop()).unwrap();
        drop(reaper);
        late.join().unwrap();
        ledger.assert_none_unaccounted(1);
    });
}

#[test]
fn the_smallest_program_in_every_order() {
    shuttle::check_dfs(
        || {
            let (ledger, mut reaper) = (Ledger::new(), Reaper::new());
            let _hook = ledger.listen();
            let guard = adopt(&reaper.handle(), &ledger);
            let owner = thread::spawn(move || orphan_after(guard, 1));
            assert!(block_on(reaper.drain()).failures.is_empty());
            ledger.assert_all_cleaned(1);
            owner.join().unwrap();
            block_on(reaper.async_drop()).unwrap();
        },
        Some(20_000),
    );
}
