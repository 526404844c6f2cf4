//! Model tests of shared values: shuttle runs small programs of several threads in many orders, and
//! switches threads at every use of the crate's own counts and inside every cleanup.
//!
//! To the model, each use of the counts of an `AsyncDropArc` is one step, and all threads agree on one
//! order of the steps: it does not model weak memory. It does not see the inside of the two locks, which
//! come from other crates. It takes or releases a lock in one step. It does see which threads wait or are
//! woken, and the steps that happen while a lock is held.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use livedrop::state::{Armed, Cleanable};
use livedrop::sync::{AsyncDropArc, AsyncDropShared, AsyncDropWeak};
use livedrop::{AsyncDrop, AsyncDropGuard, Checked, Live};
use shuttle::future::block_on;
use shuttle::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle::thread;

/// The number of orders for each program and scheduler.
const ORDERS: usize = 1_000;
/// `check_pct` finds bugs that need this many steps in a certain order.
const DEPTH: usize = 3;

/// The counts of the single value of a program.
struct Ledger {
    begun: AtomicUsize,
    cancelled: AtomicUsize,
    failed: AtomicUsize,
    dropped: AtomicUsize,
}

impl Ledger {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: AtomicUsize::new(0),
            cancelled: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
        })
    }

    fn assert_cleaned_once(&self) {
        let begun = self.begun.load(SeqCst);
        let cancelled = self.cancelled.load(SeqCst);
        assert_eq!(begun, cancelled + 1, "cleanups that came to their end");
        assert_eq!(self.failed.load(SeqCst), 1, "results that reached a caller");
        assert_eq!(self.dropped.load(SeqCst), 1, "values dropped");
    }
}

#[derive(Debug)]
struct Failed;

/// A value whose cleanup waits once and then fails. So its result differs from the result of a handle
/// that is not the last.
struct Resource(Arc<Ledger>);

#[async_trait]
impl AsyncDrop for Resource {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        self.0.begun.fetch_add(1, SeqCst);
        Wait(1).await;
        Err(Failed)
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

struct Wait(usize);

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return output;
        }
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

type Handle<S> = AsyncDropGuard<AsyncDropArc<Resource, S>, S>;

/// The states of the models, with the bounds of their tests.
trait Modelled:
    Sized
    + Cleanable<Resource, Slot<Resource>: Sync>
    + Cleanable<AsyncDropArc<Resource, Self>>
    + 'static
{
    fn guard(value: Resource) -> AsyncDropGuard<Resource, Self>;
}

impl Modelled for Checked {
    fn guard(value: Resource) -> AsyncDropGuard<Resource> {
        AsyncDropGuard::new(value)
    }
}

impl Modelled for Live {
    fn guard(value: Resource) -> AsyncDropGuard<Resource, Live> {
        AsyncDropGuard::live(value)
    }
}

/// Cleans up in place, so that a guard in any state can be interrupted.
fn clean<T, S>(ledger: &Ledger, guard: AsyncDropGuard<T, S>)
where
    T: AsyncDrop<Error = Failed>,
    S: Cleanable<T>,
{
    let mut owner = AsyncDropGuard::new(Some(guard));
    note(ledger, &run(owner.async_drop()));
}

fn note(ledger: &Ledger, result: &Result<(), Failed>) {
    if result.is_err() {
        ledger.failed.fetch_add(1, SeqCst);
    }
}

/// Begins the cleanup, and drops it if it waits. Returns the handle if it still needs its cleanup.
fn cancel<S: Modelled>(ledger: &Ledger, handle: Handle<S>) -> Option<Handle<S>> {
    let mut owner = AsyncDropGuard::new(Some(handle));
    let first = poll(pin!(owner.async_drop()));
    match first {
        Poll::Ready(result) => {
            note(ledger, &result);
            None
        }
        Poll::Pending => {
            ledger.cancelled.fetch_add(1, SeqCst);
            let handle = owner.take();
            run(owner.async_drop()).expect("it is empty");
            handle
        }
    }
}

/// The operation of a thread on its handle.
#[derive(Clone, Copy, Debug)]
enum Act {
    Release,
    CloneAndRelease,
    CancelAndRelease,
    TakeOut,
    CancelAndTakeOut,
    DowngradeAndUpgrade,
    /// Has no handle of its own.
    Upgrade,
}

const ACTS: [Act; 7] = [
    Act::Release,
    Act::CloneAndRelease,
    Act::CancelAndRelease,
    Act::TakeOut,
    Act::CancelAndTakeOut,
    Act::DowngradeAndUpgrade,
    Act::Upgrade,
];

/// Takes the value out, and cleans up the value or the returned handle. Returns whether it got the value.
fn take_out<S: Modelled>(ledger: &Ledger, handle: Handle<S>) -> bool {
    match AsyncDropArc::into_inner(handle) {
        Ok(guard) => {
            clean(ledger, guard);
            true
        }
        Err(handle) => {
            clean(ledger, handle);
            false
        }
    }
}

fn upgrade<S: Modelled>(ledger: &Ledger, weak: &AsyncDropWeak<Resource, S>) {
    if let Some(handle) = weak.upgrade() {
        assert_eq!(handle.0.dropped.load(SeqCst), 0, "an upgraded handle of a dropped value");
        clean(ledger, handle);
    }
}

/// Makes the function of one thread, with its own handle.
fn prepare<S: Modelled>(
    act: Act,
    ledger: &Arc<Ledger>,
    first: &Handle<S>,
) -> impl FnOnce() + use<S> {
    let ledger = Arc::clone(ledger);
    let (handle, weak) = match act {
        Act::Upgrade => (None, Some(AsyncDropArc::downgrade(first))),
        _ => (Some(AsyncDropArc::clone(first)), None),
    };
    move || match (act, handle, weak) {
        (Act::Upgrade, None, Some(weak)) => upgrade(&ledger, &weak),
        (Act::Release, Some(handle), None) => clean(&ledger, handle),
        (Act::CloneAndRelease, Some(handle), None) => {
            let other = AsyncDropArc::clone(&handle);
            clean(&ledger, handle);
            clean(&ledger, other);
        }
        (Act::CancelAndRelease, Some(handle), None) => {
            if let Some(handle) = cancel(&ledger, handle) {
                clean(&ledger, handle);
            }
        }
        (Act::TakeOut, Some(handle), None) => drop(take_out(&ledger, handle)),
        (Act::CancelAndTakeOut, Some(handle), None) => {
            if let Some(handle) = cancel(&ledger, handle) {
                take_out(&ledger, handle);
            }
        }
        (Act::DowngradeAndUpgrade, Some(handle), None) => {
            let weak = AsyncDropArc::downgrade(&handle);
            clean(&ledger, handle);
            upgrade(&ledger, &weak);
        }
        other => unreachable!("{:?}", other.0),
    }
}

/// Runs one thread for each act. Meanwhile the thread that made the value releases its handle.
fn program<S: Modelled>(acts: &[Act]) {
    let ledger = Ledger::new();
    let first = AsyncDropArc::new(S::guard(Resource(Arc::clone(&ledger))));
    let threads: Vec<_> =
        acts.iter().map(|act| thread::spawn(prepare(*act, &ledger, &first))).collect();
    clean(&ledger, first);
    for thread in threads {
        thread.join().expect("nothing panics");
    }
    ledger.assert_cleaned_once();
}

/// All combinations of `N` acts, regardless of their order.
fn choices<const N: usize>() -> Vec<[Act; N]> {
    let mut all = Vec::new();
    let mut indices = [0; N];
    loop {
        all.push(indices.map(|index| ACTS[index]));
        let Some(next) = indices.iter().rposition(|index| index + 1 < ACTS.len()) else {
            return all;
        };
        let value = indices[next] + 1;
        indices[next..].fill(value);
    }
}

/// Runs a program in every possible order.
fn in_every_order(program: impl Fn() + Send + Sync + 'static) {
    shuttle::check_dfs(program, None);
}

#[test]
fn two_handles_clean_up_once_in_every_order() {
    for act in ACTS {
        in_every_order(move || program::<Checked>(&[act]));
        in_every_order(move || program::<Live>(&[act]));
    }
}

#[test]
fn three_handles_clean_up_once_in_every_order() {
    for acts in choices::<2>() {
        in_every_order(move || program::<Checked>(&acts));
        in_every_order(move || program::<Live>(&acts));
    }
}

#[test]
fn four_handles_clean_up_once_in_random_orders() {
    for acts in choices::<3>() {
        shuttle::check_random(move || program::<Checked>(&acts), ORDERS);
        shuttle::check_random(move || program::<Live>(&acts), ORDERS);
    }
}

#[test]
fn four_handles_clean_up_once_with_few_switches() {
    for acts in choices::<3>() {
        shuttle::check_pct(move || program::<Checked>(&acts), ORDERS, DEPTH);
        shuttle::check_pct(move || program::<Live>(&acts), ORDERS, DEPTH);
    }
}

/// Also shows that the model sees the counts. If `into_inner` and the cleanup after it were one step to the
/// schedulers, the second of the two would always get the value.
#[test]
fn at_most_one_of_two_takes_the_value() {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let note = Arc::clone(&seen);
    in_every_order(move || {
        let ledger = Ledger::new();
        let first = AsyncDropArc::new(Checked::guard(Resource(Arc::clone(&ledger))));
        let second = AsyncDropArc::clone(&first);
        let thread = {
            let ledger = Arc::clone(&ledger);
            thread::spawn(move || take_out(&ledger, second))
        };
        let first = take_out(&ledger, first);
        let second = thread.join().expect("nothing panics");
        ledger.assert_cleaned_once();
        note.lock().unwrap().insert((first, second));
    });
    let seen = seen.lock().unwrap();
    assert_eq!(*seen, BTreeSet::from([(false, false), (false, true), (true, false)]));
}

/// A value that detects concurrent uses, and uses after its cleanup.
struct Counter {
    uses: AtomicUsize,
    resource: Resource,
}

impl Counter {
    fn add_one(&mut self) {
        let before = self.uses.load(SeqCst);
        assert_eq!(self.resource.0.begun.load(SeqCst), 0, "used after its cleanup");
        self.uses.store(before + 1, SeqCst);
    }
}

#[async_trait]
impl AsyncDrop for Counter {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        self.resource.async_drop_impl().await
    }
}

/// Lets the scheduler switch threads: it does not see that a lock is taken next.
fn step() {
    AtomicUsize::new(0).load(SeqCst);
}

/// Threads that use the value of a shared mutex. The first one cancels a wait once.
macro_rules! mutex_model {
    ($module:ident, $mutex:ident) => {
        mod $module {
            use super::*;
            use livedrop::sync::$mutex as Mutex;

            type Handle = AsyncDropGuard<AsyncDropArc<Mutex<Counter>>>;

            fn use_once(handle: &Handle) {
                step();
                block_on(async { handle.lock().await.add_one() });
            }

            fn cancel_wait(handle: &Handle) {
                step();
                let mut lock = pin!(handle.lock());
                let held = block_on(poll_fn(|cx| Poll::Ready(lock.as_mut().poll(cx))));
                step();
                drop(held);
            }

            fn program(threads: usize) {
                let ledger = Ledger::new();
                let resource = Resource(Arc::clone(&ledger));
                let counter = Counter { uses: AtomicUsize::new(0), resource };
                let first = AsyncDropArc::new(Mutex::new(AsyncDropGuard::new(counter)));
                let spawned: Vec<_> = (0..threads)
                    .map(|index| {
                        let ledger = Arc::clone(&ledger);
                        let handle = AsyncDropArc::clone(&first);
                        thread::spawn(move || {
                            if index == 0 {
                                cancel_wait(&handle);
                            }
                            use_once(&handle);
                            clean(&ledger, handle);
                        })
                    })
                    .collect();
                use_once(&first);
                for thread in spawned {
                    thread.join().expect("nothing panics");
                }
                let uses = block_on(first.lock()).uses.load(SeqCst);
                assert_eq!(uses, threads + 1, "uses that were not lost");
                clean(&ledger, first);
                ledger.assert_cleaned_once();
            }

            #[test]
            fn uses_exclude_each_other_and_cleanup_comes_last() {
                in_every_order(|| program(1));
                shuttle::check_random(|| program(3), ORDERS);
                shuttle::check_pct(|| program(3), ORDERS, DEPTH);
            }
        }
    };
}
mutex_model!(futures_lock, AsyncDropMutex);
mutex_model!(tokio_lock, AsyncDropTokioMutex);

/// Handles of one future. Threads may switch before and after each of its polls.
mod shared_future {
    use super::*;

    type Opening<S> = Pin<Box<dyn Future<Output = AsyncDropGuard<Resource, S>> + Send>>;
    type Task<S> = AsyncDropShared<Resource, Opening<S>, S>;
    type Handle<S> = AsyncDropGuard<Task<S>, S>;

    fn share<S: Modelled + Armed>(ledger: &Arc<Ledger>, opened: &Arc<AtomicUsize>) -> Handle<S> {
        let (ledger, opened) = (Arc::clone(ledger), Arc::clone(opened));
        AsyncDropShared::new(Box::pin(async move {
            Wait(1).await;
            step();
            opened.fetch_add(1, SeqCst);
            S::guard(Resource(ledger))
        }))
    }

    /// The operation of a thread on its handle before it releases the handle.
    #[derive(Clone, Copy, Debug)]
    enum Act {
        Release,
        Get,
        CancelWaiting,
        CancelTheCleanup,
        Clone,
    }

    const ACTS: [Act; 5] =
        [Act::Release, Act::Get, Act::CancelWaiting, Act::CancelTheCleanup, Act::Clone];

    /// Polls once, with a real waker.
    fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
        let mut future = pin!(future);
        block_on(poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))))
    }

    fn release<T, S>(ledger: &Ledger, guard: AsyncDropGuard<T, S>)
    where
        T: AsyncDrop<Error = Failed>,
        S: Cleanable<T>,
    {
        note(ledger, &block_on(AsyncDropGuard::new(Some(guard)).async_drop()));
    }

    fn act<S>(act: Act, ledger: &Ledger, handle: Handle<S>)
    where
        S: Modelled + Armed + Cleanable<Task<S>>,
    {
        match act {
            Act::Release => {}
            Act::Get => release(ledger, block_on(handle.get()).expect("nothing panics")),
            Act::CancelWaiting => {
                if let Poll::Ready(value) = poll_once(handle.get()) {
                    release(ledger, value.expect("nothing panics"));
                }
            }
            Act::CancelTheCleanup => {
                let begun = ledger.begun.load(SeqCst);
                let mut owner = AsyncDropGuard::new(Some(handle));
                if let Poll::Ready(result) = poll_once(owner.async_drop()) {
                    return note(ledger, &result);
                }
                // Only the last handle waits, so no other thread can have begun the cleanup.
                ledger.cancelled.fetch_add(ledger.begun.load(SeqCst) - begun, SeqCst);
                return note(ledger, &block_on(owner.async_drop()));
            }
            Act::Clone => release(ledger, AsyncDropShared::clone(&handle)),
        }
        release(ledger, handle);
    }

    fn program<S>(acts: &[Act])
    where
        S: Modelled + Armed + Cleanable<Task<S>>,
    {
        let (ledger, opened) = (Ledger::new(), Arc::new(AtomicUsize::new(0)));
        let first = share::<S>(&ledger, &opened);
        let threads: Vec<_> = acts
            .iter()
            .map(|&of_thread| {
                let (ledger, handle) = (Arc::clone(&ledger), AsyncDropShared::clone(&first));
                thread::spawn(move || act(of_thread, &ledger, handle))
            })
            .collect();
        release(&ledger, first);
        for thread in threads {
            thread.join().expect("nothing panics");
        }
        assert_eq!(opened.load(SeqCst), 1, "runs of the future");
        ledger.assert_cleaned_once();
    }

    #[test]
    fn two_handles_share_one_cleanup_in_every_order() {
        for act in ACTS {
            in_every_order(move || program::<Checked>(&[act]));
            in_every_order(move || program::<Live>(&[act]));
        }
    }

    #[test]
    fn three_and_four_handles_end_in_one_cleanup() {
        for first in ACTS {
            for second in ACTS {
                shuttle::check_random(move || program::<Checked>(&[first, second]), ORDERS);
                shuttle::check_pct(move || program::<Live>(&[first, second]), ORDERS, DEPTH);
                let acts = [first, second, Act::Get];
                shuttle::check_random(move || program::<Live>(&acts), ORDERS);
                shuttle::check_pct(move || program::<Checked>(&acts), ORDERS, DEPTH);
            }
        }
    }
}
