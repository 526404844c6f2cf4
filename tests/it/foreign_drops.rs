//! More foreign code that panics: the `Drop` of several errors, futures and keys, a conversion, a deadline. The list
//! of all places is in `foreign_code.rs`.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::numbered::{Numbered, Row};
use crate::support::{Ending, Reports, alone, block_on, panic_of};
use async_trait::async_trait;
use futures::FutureExt;
use livedrop::collections::{AsyncDropCache, AsyncDropVec};
use livedrop::{AsyncDrop, AsyncDropGuard, CleanupErrors, Reaper, flatten_async_drop};

/// Counts its drops, and panics in each.
#[derive(Clone, Debug)]
struct Panics(Arc<AtomicUsize>);

impl Drop for Panics {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
        panic!("in the drop");
    }
}

/// A value whose cleanup fails with an error that panics in its `Drop`.
struct Fails(Arc<AtomicUsize>);

#[async_trait]
impl AsyncDrop for Fails {
    type Error = Panics;

    async fn async_drop_impl(&mut self) -> Result<(), Panics> {
        Err(Panics(Arc::clone(&self.0)))
    }
}

#[test]
fn a_lost_orphan_that_panics_is_reported_twice() {
    let (reports, drops) = (Reports::collect(), Arc::<AtomicUsize>::default());
    let reaper = Reaper::new();
    let guard = AsyncDropGuard::with_cleanup(Panics(Arc::clone(&drops)), |_| async {});
    drop(reaper.adopt(guard));
    drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
    assert_eq!(drops.load(SeqCst), 1);
    let (lost, failed) = (reports.take(), reports.take_failed());
    assert!(lost.len() == 1 && lost[0].contains("Panics"), "{lost:?}");
    assert!(failed.len() == 1 && failed[0].contains("in the drop"), "{failed:?}");
}

/// A vector whose cleanup returns three such errors.
fn failing(drops: &Arc<AtomicUsize>) -> AsyncDropGuard<AsyncDropVec<Fails>> {
    let mut vec = AsyncDropVec::new();
    vec.extend([(); 3].map(|()| AsyncDropGuard::new(Fails(Arc::clone(drops)))));
    vec
}

#[test]
fn suppressed_errors_of_a_container_do_not_abort() {
    alone("foreign_drops::suppressed_errors_of_a_container_do_not_abort", || {
        let (reports, drops) = (Reports::collect(), Arc::default());
        let body = Err::<(), _>("body");
        let body = block_on(AsyncDropGuard::async_drop_on_err(failing(&drops), body));
        assert_eq!(body.err(), Some("body"));
        assert_eq!(reports.take().len(), 1);
        assert_eq!(drops.load(SeqCst), 3);
    });
}

#[test]
fn errors_of_an_orphaned_container_do_not_abort() {
    alone("foreign_drops::errors_of_an_orphaned_container_do_not_abort", || {
        let (mut reaper, drops) = (Reaper::new(), Arc::default());
        drop(reaper.adopt(failing(&drops)));
        drop(block_on(reaper.drain()));
        assert_eq!(drops.load(SeqCst), 3);
        block_on(reaper.async_drop()).unwrap();
    });
}

#[test]
fn other_errors_are_dropped_after_a_panic() {
    alone("foreign_drops::other_errors_are_dropped_after_a_panic", || {
        let drops = Arc::<AtomicUsize>::default();
        let errors = || {
            let errors = [(); 4].map(|()| Panics(Arc::clone(&drops)));
            CleanupErrors::from_errors(errors).expect("there are errors")
        };
        assert_eq!(panic_of(|| drop(errors())), "in the drop");
        assert_eq!(drops.load(SeqCst), 4);
        assert_eq!(panic_of(|| drop(errors().into_first())), "in the drop");
        assert_eq!(drops.load(SeqCst), 8);
    });
}

/// A value whose cleanup waits for ever. While it waits, it holds a guard and a local that panics in its `Drop`.
struct Holds(Option<(AsyncDropGuard<Numbered>, Panics)>);

#[async_trait]
impl AsyncDrop for Holds {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        let _held = self.0.take();
        std::future::pending().await
    }
}

#[test]
fn dropped_cleanups_of_a_container_all_report_guards() {
    alone("foreign_drops::dropped_cleanups_of_a_container_all_report_guards", || {
        let (reports, mut row, drops) = (Reports::collect(), Row::default(), Arc::default());
        let mut vec = AsyncDropVec::new();
        for _ in 0..4 {
            let guard = AsyncDropGuard::new(row.value(0, Ending::Ok));
            vec.push(AsyncDropGuard::new(Holds(Some((guard, Panics(Arc::clone(&drops)))))));
        }
        let text = panic_of(|| vec.async_drop().now_or_never().is_some());
        assert_eq!(text, "in the drop");
        assert_eq!(drops.load(SeqCst), 4);
        reports.expect(&["Forgot to call async_drop on Numbered"; 4]);
        drop(vec);
        assert_eq!(reports.take().len(), 5);
    });
}

/// A key that panics in its `Drop`.
#[derive(PartialEq, Eq, Hash)]
struct Key(u32);

impl Drop for Key {
    fn drop(&mut self) {
        panic!("in the key");
    }
}

#[test]
fn cache_works_after_the_drop_of_a_key_panicked() {
    let (reports, mut row) = (Reports::collect(), Row::default());
    let cache = std::mem::ManuallyDrop::new(AsyncDropCache::<Key, Numbered>::new());
    let mut open = |key| {
        let guard = AsyncDropGuard::new(row.value(0, Ending::Ok));
        block_on(cache.get(Key(key), async { Ok::<_, Infallible>(guard) }))
    };
    let mut first = open(1).unwrap();
    // The cache has an equal key. The guard in the future was not polled out of it.
    assert_eq!(panic_of(|| open(1)), "in the key");
    reports.expect_one("Numbered was dropped without its cleanup");
    let mut second = open(2).unwrap();
    block_on(first.async_drop()).unwrap();
    block_on(second.async_drop()).unwrap();
    assert_eq!(row.counts(), [(1, 1, 1), (0, 0, 1), (1, 1, 1)]);
}

#[derive(Debug)]
struct NotConverted;

impl From<u32> for NotConverted {
    fn from(_: u32) -> Self {
        panic!("in `From`");
    }
}

#[test]
fn conversion_that_panics_comes_after_the_cleanup() {
    let (reports, mut row) = (Reports::collect(), Row::default());
    let guard = AsyncDropGuard::new(row.value(1, Ending::Err));
    let second = Err::<AsyncDropGuard<Numbered>, u32>(7);
    let flattened = flatten_async_drop::<NotConverted, _, u32, _, _>(Ok(guard), second);
    assert_eq!(panic_of(|| block_on(flattened).is_ok()), "in `From`");
    row.expect_cleaned_once();
    reports.expect_one("cleanup of Numbered failed as well: 0");
}

#[test]
fn deadline_that_panics_reports_the_reaper_and_orphans() {
    let (reports, mut row, reaper) = (Reports::collect(), Row::default(), Reaper::new());
    drop(reaper.adopt(AsyncDropGuard::new(row.value(9, Ending::Ok))));
    let shutdown = Reaper::shutdown(reaper, async { panic!("in the deadline") });
    assert_eq!(panic_of(|| block_on(shutdown)), "in the deadline");
    let texts = reports.take();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].contains("Reaper") && texts[1].contains("Numbered"), "{texts:?}");
    assert_eq!(row.counts(), [(1, 0, 1)]);
}
