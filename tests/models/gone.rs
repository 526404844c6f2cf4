//! Model tests of `AsyncDropWeak::gone`: two threads clean up, cancel or drop their handles while others
//! wait, in many orders.
//!
//! The model fails with a deadlock if a waiter is not woken.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use async_trait::async_trait;
use livedrop::state::Cleanable;
use livedrop::sync::{AsyncDropArc, AsyncDropWeak};
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Checked, Live, Reaper, ReaperHandle, hook};
use shuttle::future::{block_on, yield_now};
use shuttle::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle::thread;

const ORDERS: usize = 1_000;
const DEPTH: usize = 3;

/// Counts the drops of the one value of a program.
struct Resource(Arc<AtomicUsize>);

#[async_trait]
impl AsyncDrop for Resource {
    type Error = std::convert::Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        yield_now().await;
        Ok(())
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

type Handle<S> = AsyncDropGuard<AsyncDropArc<Resource, S>, S>;

/// The states of the models, with the bounds of their tests.
trait Modelled:
    Cleanable<Resource, Slot<Resource>: Sync> + Cleanable<AsyncDropArc<Resource, Self>> + 'static
{
    fn guard(reaper: &ReaperHandle, value: Resource) -> AsyncDropGuard<Resource, Self>;
}

impl Modelled for Checked {
    fn guard(_: &ReaperHandle, value: Resource) -> AsyncDropGuard<Resource> {
        AsyncDropGuard::new(value)
    }
}

impl Modelled for Live {
    fn guard(_: &ReaperHandle, value: Resource) -> AsyncDropGuard<Resource, Live> {
        AsyncDropGuard::live(value)
    }
}

impl Modelled for Adopted {
    fn guard(reaper: &ReaperHandle, value: Resource) -> AsyncDropGuard<Resource, Adopted> {
        reaper.adopt(AsyncDropGuard::new(value))
    }
}

/// What a thread does with its handle.
#[derive(Clone, Copy, Debug)]
enum End {
    Clean,
    Cancel,
    Drop,
}

const ENDS: [End; 3] = [End::Clean, End::Cancel, End::Drop];

fn end<S: Modelled>(handle: Handle<S>, end: End) {
    let mut owner = AsyncDropGuard::new(Some(handle));
    match end {
        End::Clean => block_on(owner.async_drop()).expect("it cannot fail"),
        End::Cancel => {
            let _ = pin!(owner.async_drop()).poll(&mut Context::from_waker(Waker::noop()));
        }
        End::Drop => {}
    }
}

fn await_gone<S: Modelled>(weak: &AsyncDropWeak<Resource, S>, dropped: &AtomicUsize) {
    block_on(weak.gone());
    assert_eq!(dropped.load(SeqCst), 1, "values dropped");
    assert!(weak.upgrade().is_none());
}

fn program<S: Modelled>(ends: [End; 2], waiters: usize) {
    // Shuttle's threads share one real thread, so its hook.
    let _hook = hook::scoped(|_| {});
    let (dropped, mut reaper) = (Arc::new(AtomicUsize::new(0)), Reaper::new());
    let first = AsyncDropArc::new(S::guard(&reaper, Resource(Arc::clone(&dropped))));
    let second = AsyncDropArc::clone(&first);
    let weak = AsyncDropArc::downgrade(&first);
    let mut threads: Vec<_> = (0..waiters)
        .map(|_| {
            let (weak, dropped) = (weak.clone(), Arc::clone(&dropped));
            thread::spawn(move || await_gone(&weak, &dropped))
        })
        .collect();
    threads.push(thread::spawn(move || end(second, ends[1])));
    end(first, ends[0]);
    let _report = block_on(reaper.drain());
    await_gone(&weak, &dropped);
    for thread in threads {
        thread.join().expect("nothing panics");
    }
    block_on(reaper.async_drop()).expect("no cleanup failed");
}

fn explore<S: Modelled>() {
    for first in ENDS {
        for second in ENDS {
            shuttle::check_random(move || program::<S>([first, second], 2), ORDERS);
            shuttle::check_pct(move || program::<S>([first, second], 2), ORDERS, DEPTH);
            shuttle::check_dfs(move || program::<S>([first, second], 1), Some(ORDERS));
        }
    }
}

#[test]
fn every_waiter_of_a_checked_value_wakes() {
    explore::<Checked>();
}

#[test]
fn every_waiter_of_a_live_value_wakes() {
    explore::<Live>();
}

#[test]
fn every_waiter_of_an_adopted_value_wakes() {
    explore::<Adopted>();
}
