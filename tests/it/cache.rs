//! `AsyncDropCache`: one open value for each key.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::join_all;
use livedrop::collections::AsyncDropCache;
use livedrop::sync::AsyncDropArc;
use livedrop::testing::leaks;
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Reaper};
use static_assertions::assert_impl_all;

use crate::support::{Failed, Reports, block_on, cancel_after, created_at, panic_of, run, wait};

assert_impl_all!(AsyncDropCache<u8, Door>: Send, Sync, Default, std::fmt::Debug);
assert_impl_all!(AsyncDropCache<u8, Door, Adopted>: Send, Sync);

/// What happened to the doors of one key.
#[derive(Default)]
struct House {
    is_open: AtomicBool,
    opened: AtomicUsize,
    closed: AtomicUsize,
}

impl House {
    fn counts(&self) -> (usize, usize) {
        (self.opened.load(SeqCst), self.closed.load(SeqCst))
    }
}

/// A value that may be open only once at a time.
struct Door {
    house: Arc<House>,
    waits: usize,
}

impl Door {
    async fn open(house: Arc<House>, waits: usize) -> Result<AsyncDropGuard<Door>, Failed> {
        wait(waits).await;
        assert!(!house.is_open.swap(true, SeqCst), "two doors overlap");
        house.opened.fetch_add(1, SeqCst);
        Ok(AsyncDropGuard::new(Door { house, waits }))
    }
}

#[async_trait]
impl AsyncDrop for Door {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        wait(self.waits).await;
        assert!(self.house.is_open.swap(false, SeqCst), "closed twice");
        self.house.closed.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// A key that is counted while it exists.
struct Numbered {
    number: u32,
    _counted: Arc<()>,
}

impl PartialEq for Numbered {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Numbered {}

impl Hash for Numbered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

#[test]
fn callers_at_the_same_time_share_one_value() {
    let (house, cache) = (Arc::<House>::default(), AsyncDropCache::new());
    let callers = (0..5).map(|_| cache.get("a", Door::open(Arc::clone(&house), 2)));
    let handles: Vec<_> =
        block_on(join_all(callers)).into_iter().map(|handle| handle.unwrap()).collect();
    assert!(handles.windows(2).all(|pair| AsyncDropArc::ptr_eq(&pair[0], &pair[1])));
    assert_eq!((house.counts(), cache.len(), cache.is_empty()), ((1, 0), 1, false));
    for mut handle in handles {
        block_on(handle.async_drop()).unwrap();
    }
    assert_eq!(house.counts(), (1, 1));
    assert!(cache.is_empty());
}

#[test]
fn other_keys_are_other_values() {
    let cache = AsyncDropCache::new();
    let houses = [Arc::<House>::default(), Arc::default()];
    for (key, house) in houses.iter().enumerate() {
        let mut handle = block_on(cache.get(key, Door::open(Arc::clone(house), 0))).unwrap();
        block_on(handle.async_drop()).unwrap();
        assert_eq!(house.counts(), (1, 1));
    }
}

#[test]
fn a_get_during_the_close_waits_for_its_end() {
    let (house, cache) = (Arc::<House>::default(), AsyncDropCache::new());
    let mut first = block_on(cache.get(1, Door::open(Arc::clone(&house), 3))).unwrap();
    let mut closing = Box::pin(first.async_drop());
    assert!(closing.as_mut().now_or_never().is_none());
    let mut second = Box::pin(cache.get(1, Door::open(Arc::clone(&house), 0)));
    for _ in 0..3 {
        assert!(second.as_mut().now_or_never().is_none());
    }
    block_on(closing).unwrap();
    let mut second = block_on(second).unwrap();
    assert_eq!(house.counts(), (2, 1));
    block_on(second.async_drop()).unwrap();
}

#[test]
fn a_value_being_closed_keeps_its_slot() {
    let (house, cache) = (Arc::<House>::default(), AsyncDropCache::new());
    let mut first = block_on(cache.get(1, Door::open(Arc::clone(&house), 3))).unwrap();
    let mut closing = Box::pin(first.async_drop());
    assert!(closing.as_mut().now_or_never().is_none());
    // Counting removes the slots of closed values.
    assert_eq!(cache.len(), 1);
    let mut second = Box::pin(cache.get(1, Door::open(Arc::clone(&house), 0)));
    assert!(second.as_mut().now_or_never().is_none());
    block_on(closing).unwrap();
    let mut second = block_on(second).unwrap();
    block_on(second.async_drop()).unwrap();
    assert_eq!(house.counts(), (2, 2));
    assert!(cache.is_empty());
}

#[test]
fn a_value_being_opened_keeps_its_slot() {
    let (house, cache) = (Arc::<House>::default(), AsyncDropCache::new());
    let mut first = Box::pin(cache.get(1, Door::open(Arc::clone(&house), 1)));
    assert!(first.as_mut().now_or_never().is_none());
    assert_eq!(cache.len(), 1);
    let mut second = Box::pin(cache.get(1, Door::open(Arc::clone(&house), 0)));
    assert!(second.as_mut().now_or_never().is_none());
    let (mut first, mut second) = (block_on(first).unwrap(), block_on(second).unwrap());
    block_on(first.async_drop()).unwrap();
    block_on(second.async_drop()).unwrap();
    assert_eq!(house.counts(), (1, 1));
}

#[test]
fn a_failed_opening_is_its_callers_error() {
    let (house, cache) = (Arc::<House>::default(), AsyncDropCache::new());
    let fails = async {
        wait(1).await;
        Err::<AsyncDropGuard<Door>, _>(Failed)
    };
    let mut failing = Box::pin(cache.get(1, fails));
    assert!(failing.as_mut().now_or_never().is_none());
    let mut next = Box::pin(cache.get(1, Door::open(Arc::clone(&house), 0)));
    assert!(next.as_mut().now_or_never().is_none(), "the first caller still tries");
    assert_eq!(block_on(failing).map(drop), Err(Failed));
    let mut handle = block_on(next).unwrap();
    block_on(handle.async_drop()).unwrap();
    assert_eq!(house.counts(), (1, 1));
}

#[test]
fn a_panic_of_the_opening_leaves_the_key_usable() {
    let (house, cache) = (Arc::<House>::default(), AsyncDropCache::new());
    let panics = async {
        assert!(std::hint::black_box(false), "no door");
        Err::<AsyncDropGuard<Door>, _>(Failed)
    };
    assert_eq!(panic_of(|| block_on(cache.get(1, panics)).is_ok()), "no door");
    let mut handle = block_on(cache.get(1, Door::open(Arc::clone(&house), 0))).unwrap();
    block_on(handle.async_drop()).unwrap();
    assert_eq!(house.counts(), (1, 1));
}

#[test]
fn a_cancelled_get_leaves_nothing_behind() {
    for polls in 0..3 {
        let (reports, house) = (Reports::collect(), Arc::<House>::default());
        let cache = AsyncDropCache::new();
        cancel_after(polls, cache.get(1, Door::open(Arc::clone(&house), 3)));
        assert!(cache.is_empty());
        let mut handle = block_on(cache.get(1, Door::open(Arc::clone(&house), 0))).unwrap();
        block_on(handle.async_drop()).unwrap();
        assert_eq!(house.counts(), (1, 1));
        reports.expect_none();
    }
}

#[test]
fn the_reaper_finishes_a_cancelled_opening() {
    for polls in 0..4 {
        let house = Arc::<House>::default();
        let cache = block_on(leaks(async |reaper| {
            let cache = AsyncDropCache::adopted(&reaper);
            cancel_after(polls, cache.get(1, Door::open(Arc::clone(&house), 3)));
            // The next caller waits for that opening and for its close.
            drop(cache.get(1, Door::open(Arc::clone(&house), 0)).await.unwrap());
            cache
        }));
        let opened = usize::from(polls > 0);
        assert_eq!(house.counts(), (opened + 1, opened + 1), "after {polls} polls");
        assert!(cache.is_empty());
    }
}

#[test]
fn slots_of_closed_values_are_removed() {
    let cache = AsyncDropCache::new();
    for key in 0..1_000 {
        let mut handle = block_on(cache.get(key, Door::open(Arc::default(), 0))).unwrap();
        block_on(handle.async_drop()).unwrap();
    }
    assert!(cache.is_empty());
    let bytes = allocation_counter::measure(|| drop(cache)).bytes_total;
    assert_eq!(bytes, 0);
}

#[test]
fn keys_of_closed_values_go_when_the_cache_has_doubled() {
    let (cache, keys) = (AsyncDropCache::new(), Arc::new(()));
    let open = |number: u32| {
        let key = Numbered { number, _counted: Arc::clone(&keys) };
        block_on(cache.get(key, Door::open(Arc::default(), 0))).unwrap()
    };
    let mut handles: Vec<_> = (0..100).map(open).collect();
    let mut most = 0;
    for number in 100..1_000 {
        block_on(open(number).async_drop()).unwrap();
        most = most.max(Arc::strong_count(&keys) - 1);
    }
    assert_eq!(most, 200);
    for handle in &mut handles {
        block_on(handle.async_drop()).unwrap();
    }
}

#[test]
fn a_default_cache_is_empty_and_shows_no_value() {
    let cache = AsyncDropCache::<u8, Door>::default();
    assert!(cache.is_empty());
    assert_eq!(format!("{cache:?}"), "AsyncDropCache { .. }");
}

#[test]
fn counting_the_values_allocates_nothing() {
    let cache = AsyncDropCache::new();
    let mut handle = block_on(cache.get(1, Door::open(Arc::default(), 0))).unwrap();
    let allocations = allocation_counter::measure(|| assert_eq!(cache.len(), 1)).count_total;
    assert_eq!(allocations, 0);
    block_on(handle.async_drop()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_tasks_on_eight_keys_never_overlap() {
    let mut reaper = Reaper::new();
    let running = tokio::spawn(reaper.run());
    let cache = Arc::new(AsyncDropCache::adopted(&reaper.handle()));
    let houses: Vec<Arc<House>> = (0..8).map(|_| Arc::default()).collect();
    let tasks: Vec<_> = (0..2_000)
        .map(|number: usize| {
            let (key, cache) = (number % 8, Arc::clone(&cache));
            let house = Arc::clone(&houses[key]);
            tokio::spawn(async move {
                let open = Door::open(Arc::clone(&house), number % 3);
                let mut handle = cache.get(key, open).await.unwrap();
                tokio::task::yield_now().await;
                assert!(house.is_open.load(SeqCst), "it is open while there is a handle");
                if number % 4 < 2 {
                    handle.async_drop().await.unwrap();
                }
            })
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        if number % 2 == 1 {
            tokio::task::yield_now().await;
            task.abort();
        }
        if let Err(error) = task.await {
            assert!(error.is_cancelled(), "{error}");
        }
    }
    reaper.async_drop().await.unwrap();
    running.await.unwrap();
    for house in houses {
        let (opened, closed) = house.counts();
        assert!(opened > 0 && opened == closed, "{opened} opened, {closed} closed");
    }
    assert!(cache.is_empty());
}

#[test]
fn only_the_opening_caller_polls_its_future() {
    let (house, cache) = (Arc::<House>::default(), AsyncDropCache::new());
    let first = run(cache.get(1, Door::open(Arc::clone(&house), 0))).1.unwrap();
    let never = async { unreachable!("the value is open") };
    let second: Result<_, Failed> = run(cache.get(1, never)).1;
    for mut handle in [first, second.unwrap()] {
        block_on(handle.async_drop()).unwrap();
    }
    assert_eq!(house.counts(), (1, 1));
}

#[test]
fn an_opening_that_ends_after_the_close_is_cleaned_up() {
    for polls in 1..4 {
        let (reports, house) = (Reports::collect(), Arc::<House>::default());
        let mut reaper = Reaper::new();
        let cache = AsyncDropCache::adopted(&reaper.handle());
        let mut getting = Box::pin(cache.get(1, Door::open(Arc::clone(&house), 3)));
        cancel_after(polls, getting.as_mut());
        reaper.close();
        drop(getting);
        block_on(reaper.async_drop()).unwrap();
        assert_eq!(house.counts(), (1, 1), "after {polls} polls");
        reports.expect_none();
    }
}

#[test]
fn a_forgotten_handle_names_the_caller_of_get() {
    let reports = Reports::collect();
    let cache = AsyncDropCache::new();
    let line = line!() + 1;
    let opens = cache.get(1, Door::open(Arc::default(), 0));
    let mut opened = block_on(opens).unwrap();
    let shares = cache.get(1, Door::open(Arc::default(), 0));
    drop(block_on(shares).unwrap());
    let shared_at = created_at(file!(), line + 2);
    reports.expect_one(&format!("Forgot to call async_drop on AsyncDropArc<Door>{shared_at}"));
    block_on(opened.async_drop()).unwrap();
    let opens = cache.get(1, Door::open(Arc::default(), 0));
    drop(block_on(opens).unwrap());
    let opened_at = created_at(file!(), line + 7);
    let door = "Forgot to call async_drop on Door";
    reports.expect(&[&format!("Forgot to call async_drop on AsyncDropArc<Door>{opened_at}"), door]);
}

#[test]
fn a_closed_reaper_adopts_no_new_value() {
    let mut reaper = Reaper::new();
    let cache = AsyncDropCache::adopted(&reaper);
    let alive = reaper.adopt(block_on(Door::open(Arc::default(), 0)).unwrap());
    reaper.close();
    let mut late = block_on(cache.get(1, Door::open(Arc::default(), 0))).unwrap();
    assert_eq!(
        reaper.pending().len(),
        1,
        "`drain` waits for no value that is opened after `close`"
    );
    block_on(late.async_drop()).unwrap();
    drop(alive);
    block_on(reaper.async_drop()).unwrap();
}
