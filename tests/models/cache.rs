//! Model tests of `AsyncDropCache`: threads get, use and close the value of one key, in many orders.

use std::convert::Infallible;
use std::sync::Arc;

use async_trait::async_trait;
use livedrop::collections::AsyncDropCache;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper};
use shuttle::future::{block_on, yield_now};
use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use shuttle::thread;

const ORDERS: usize = 1_000;
const DEPTH: usize = 3;

struct House {
    is_open: AtomicBool,
    opened: AtomicUsize,
    closed: AtomicUsize,
}

impl House {
    fn new() -> Arc<Self> {
        let (is_open, opened, closed) =
            (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { is_open, opened, closed })
    }

    fn assert_all_closed(&self) {
        assert_eq!(self.opened.load(SeqCst), self.closed.load(SeqCst));
        assert!(!self.is_open.load(SeqCst));
    }
}

struct Door(Arc<House>);

impl Door {
    async fn open(house: Arc<House>) -> Result<AsyncDropGuard<Door>, Infallible> {
        yield_now().await;
        assert!(!house.is_open.swap(true, SeqCst), "two doors overlap");
        house.opened.fetch_add(1, SeqCst);
        Ok(AsyncDropGuard::new(Door(house)))
    }
}

#[async_trait]
impl AsyncDrop for Door {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        yield_now().await;
        assert!(self.0.is_open.swap(false, SeqCst), "closed twice");
        self.0.closed.fetch_add(1, SeqCst);
        Ok(())
    }
}

fn explore(program: impl Fn() + Copy + Send + Sync + 'static) {
    shuttle::check_random(program, ORDERS);
    shuttle::check_pct(program, ORDERS, DEPTH);
}

#[test]
fn values_of_one_key_never_overlap() {
    explore(|| {
        let (house, cache) = (House::new(), Arc::new(AsyncDropCache::new()));
        let users = [0, 1, 2].map(|_| {
            let (house, cache) = (Arc::clone(&house), Arc::clone(&cache));
            thread::spawn(move || {
                block_on(async {
                    let Ok(mut door) = cache.get(1, Door::open(house)).await;
                    yield_now().await;
                    door.async_drop().await.unwrap();
                });
            })
        });
        for user in users {
            user.join().unwrap();
        }
        house.assert_all_closed();
    });
}

#[test]
fn dropped_handles_are_closed_before_the_next_opening() {
    explore(|| {
        let (house, mut reaper) = (House::new(), Reaper::new());
        let cache = Arc::new(AsyncDropCache::adopted(&reaper.handle()));
        let run = reaper.run();
        let runner = thread::spawn(move || block_on(run));
        let users = [0, 1].map(|_| {
            let (house, cache) = (Arc::clone(&house), Arc::clone(&cache));
            thread::spawn(move || {
                block_on(async {
                    let Ok(door) = cache.get(1, Door::open(house)).await;
                    yield_now().await;
                    drop(door);
                });
            })
        });
        for user in users {
            user.join().unwrap();
        }
        block_on(reaper.async_drop()).unwrap();
        runner.join().unwrap();
        house.assert_all_closed();
    });
}
