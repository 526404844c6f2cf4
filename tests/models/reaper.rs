//! Model tests of the reaper: owners drop their guards while drivers, spawned tasks and the end of the
//! reaper are at work, in many orders.
//!
//! To the model, each use of the reaper's mutex is one step, and each poll of a cleanup has steps of its
//! own. It does not see the counts of the `Arc`s that hold the registry, the handles and the wakers.

mod abandon;
mod closing;
mod drivers;
mod gone;
mod order;
mod tasks;

use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use livedrop::hook::{self, Unhandled};
use livedrop::reaper::CleanupTask;
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Reaper, ReaperHandle};
use shuttle::future::block_on;
use shuttle::rand::Rng;
use shuttle::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle::thread::{self, JoinHandle};

/// The number of orders for each program and scheduler.
const ORDERS: usize = 2_000;
/// `check_pct` finds bugs that need this many steps in a certain order.
const DEPTH: usize = 3;

/// The counts of the values of a program.
#[derive(Default)]
struct Ledger {
    begun: AtomicUsize,
    ended: AtomicUsize,
    dropped: AtomicUsize,
    /// Values that the hook was told of as lost.
    reported: AtomicUsize,
    /// Failures that the hook was told of.
    failed: AtomicUsize,
    /// The number of the value for each poll of a cleanup. No step of the model happens under this lock.
    polls: Mutex<Vec<usize>>,
}

impl Ledger {
    /// Counts reports instead of panicking. Shuttle's threads share one real thread, so its hook.
    fn new() -> (Arc<Self>, hook::ScopedHook) {
        let ledger = Arc::<Self>::default();
        let told = Arc::clone(&ledger);
        let hook = hook::scoped(move |unhandled| {
            match unhandled {
                Unhandled::Forgotten { type_name: "Resource", .. } => &told.reported,
                Unhandled::Failed { type_name: "Resource", .. } => &told.failed,
                _ => return,
            }
            .fetch_add(1, SeqCst);
        });
        (ledger, hook)
    }

    fn ended(&self) -> usize {
        self.ended.load(SeqCst)
    }

    fn reported(&self) -> usize {
        self.reported.load(SeqCst)
    }

    fn note_poll(&self, number: usize) {
        self.polls.lock().unwrap().push(number);
    }

    fn assert_all_cleaned(&self, values: usize) {
        assert_eq!(self.begun.load(SeqCst), values, "cleanups begun");
        assert_eq!(self.ended(), values, "cleanups ended");
        assert_eq!(self.dropped.load(SeqCst), values, "values dropped");
        assert_eq!(self.reported(), 0, "values reported as lost");
    }

    /// Asserts that each value was cleaned up, reported as lost, or `named` by a report, and that no value
    /// had two of these outcomes.
    fn assert_one_outcome_each(&self, values: usize, named: usize) {
        assert!(self.begun.load(SeqCst) <= values, "none is restarted");
        assert_eq!(self.ended() + self.reported() + named, values, "outcomes");
        assert_eq!(self.dropped.load(SeqCst), values, "values dropped");
    }
}

/// A value whose cleanup wakes itself `waits` times, then waits for `event`, and then fails or not.
struct Resource {
    ledger: CountsDrop,
    number: usize,
    waits: usize,
    event: Option<Arc<Event>>,
    fails: bool,
}

/// Counts the drop of its value.
struct CountsDrop(Arc<Ledger>);

impl Deref for CountsDrop {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.0
    }
}

impl Drop for CountsDrop {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, SeqCst);
    }
}

#[derive(Debug)]
struct Failed;

impl Resource {
    fn new(ledger: &Arc<Ledger>) -> Self {
        let ledger = CountsDrop(Arc::clone(ledger));
        Self { ledger, number: 0, waits: 1, event: None, fails: false }
    }

    fn adopt(self, reaper: &ReaperHandle) -> AsyncDropGuard<Self, Adopted> {
        reaper.adopt(AsyncDropGuard::new(self))
    }
}

#[async_trait]
impl AsyncDrop for Resource {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        self.ledger.begun.fetch_add(1, SeqCst);
        self.ledger.note_poll(self.number);
        for _ in 0..self.waits {
            Yield(false).await;
            self.ledger.note_poll(self.number);
        }
        if let Some(event) = &self.event {
            event.wait().await;
        }
        self.ledger.ended.fetch_add(1, SeqCst);
        if self.fails { Err(Failed) } else { Ok(()) }
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

/// One thread waits for it, another one sets it.
#[derive(Default)]
struct Event(shuttle::sync::Mutex<(bool, Option<Waker>)>);

impl Event {
    /// Wakes twice. The second wake may come after the cleanup has ended.
    fn set(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 = true;
        let waker = state.1.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake_by_ref();
            thread::yield_now();
            waker.wake();
        }
    }

    fn wait(&self) -> impl Future<Output = ()> {
        std::future::poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut state = self.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.1 = Some(waker);
            Poll::Pending
        })
    }
}

/// Adopts a value whose cleanup waits once.
fn adopt(reaper: &ReaperHandle, ledger: &Arc<Ledger>) -> AsyncDropGuard<Resource, Adopted> {
    Resource::new(ledger).adopt(reaper)
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls the future until it is ready, but not more than `polls` times, and drops it.
fn drop_after<F: Future>(future: F, polls: usize) {
    let mut future = pin!(future);
    for _ in 0..polls {
        if poll_once(future.as_mut()).is_ready() {
            return;
        }
        thread::yield_now();
    }
}

/// Polls the cleanup `polls` times, and drops the guard.
fn orphan_after<T>(mut guard: AsyncDropGuard<T, Adopted>, polls: usize)
where
    T: AsyncDrop<Error: 'static>,
{
    drop_after(guard.async_drop(), polls);
}

/// Lets other threads go on, for a random number of steps. Without this, `check_pct` rarely orders the next
/// step of this thread after many steps of threads that wake themselves.
fn delay() {
    for _ in 0..shuttle::rand::thread_rng().gen_range(0..20) {
        thread::yield_now();
    }
}

/// Drops the reaper without its cleanup.
fn forget(reaper: AsyncDropGuard<Reaper>) {
    drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
}

/// The threads of the tasks that a `run_with` has spawned.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<JoinHandle<()>>>>);

impl Tasks {
    /// Returns a spawner: it gives each task to `body` on a thread of its own, with the number of tasks
    /// before it.
    fn spawner(&self, body: fn(CleanupTask, usize)) -> impl FnMut(CleanupTask) + Send + 'static {
        let threads = Arc::clone(&self.0);
        move |task| {
            let number = threads.lock().unwrap().len();
            let thread = thread::spawn(move || body(task, number));
            threads.lock().unwrap().push(thread);
        }
    }

    /// Waits until all have ended, and returns their number. No `run` may spawn any more.
    fn join(&self) -> usize {
        let threads = std::mem::take(&mut *self.0.lock().unwrap());
        threads.into_iter().map(|thread| thread.join().unwrap()).count()
    }
}

fn explore(program: impl Fn() + Copy + Send + Sync + 'static) {
    shuttle::check_random(program, ORDERS);
    shuttle::check_pct(program, ORDERS, DEPTH);
}
