//! Foreign code that panics: `Drop`, `Hash`, `Eq`, `Debug`, `From` and hooks. Each guard is cleaned up or
//! reported once, the first panic is resumed, and a process that only unwinds does not abort.
//!
//! The places in `src/` where foreign code runs, with the files of their tests; "here" is this file:
//!
//! - `hook`: the hook and its `Drop` (here, `hook.rs`), the `Debug` of errors (here), the subscriber (`tracing.rs`)
//! - `panic`: the `Drop` of payloads (`payloads.rs`)
//! - `errors`: the `Drop` of errors (here, `foreign_drops.rs`, `with_output.rs`)
//! - `guard`: cleanups and the `Drop` of values (`value_drop.rs`, `async_drop.rs`), futures of `async_drop_via` (here)
//! - `guard::adopted`, `guard::via`: wakers, by the end of a registration (`foreign_wakers.rs`)
//! - `with`, `scope`: bodies and their output, `From` (here, `with.rs`, `with_output.rs`, `with_cancelled.rs`)
//! - `all`: cleanups, the `Drop` of the body's output (`all.rs`, `with_output.rs`)
//! - `flatten`: `From` (`foreign_drops.rs`), the cleanup (`flatten.rs`)
//! - `deferred`: closures, the `Drop` of their futures (`deferred.rs`)
//! - `derive`: cleanups and conversions of fields (`derive/endings.rs`)
//! - `collections::hash_map`, `Drain`: the `Hash`, `Eq` and `Drop` of keys (here)
//! - `collections::concurrent`: the `Drop` of values and keys (here), of futures that wait (`foreign_drops.rs`)
//! - `collections::vec`, `collections::stack`: the `Drop` of values (here, `stack.rs`)
//! - `collections::result`: the cleanup of the guard inside (`result.rs`)
//! - `collections::cache`: the `Drop` of keys (`foreign_drops.rs`), openings (`cache.rs`)
//! - `sync::arc`, `sync::mutex`: the cleanup of the value (`arc.rs`, `mutex.rs`); `sync::gone`: wakers (`arc_gone.rs`)
//! - `sync::shared`: the future, its `Drop`, its payload (`shared.rs`, `payloads.rs`)
//! - `reaper::orphan`, `reaper::report`: cleanups, values, errors and their `Debug` (here, `reaper.rs`)
//! - `reaper::registry`, `reaper::driver`, `reaper::task`: wakers (`reaper_reentered.rs`), spawners (`reaper_drivers.rs`)
//! - `reaper::acquire`, `reaper::shield`: futures and their `Drop` (here), wakers (`foreign_wakers.rs`)
//! - `reaper::ending`: values that are abandoned or lost (`reaper.rs`); `reaper::shutdown`: deadlines (`foreign_drops.rs`)
//! - `testing`: bodies and their output (`testing.rs`), the cleanup in `SyncDrop` (`sync_drop.rs`)
//! - `task`: the task and its payload (`task.rs`, `payloads.rs`); `app`: the body, tasks and the hook (`tests/app`)
//! - `process`, `fs`: none

use std::convert::Infallible;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll};

use crate::numbered::{Numbered, Row};
use crate::support::{Ending, Reports, alone, block_on, cancel_after, panic_of};
use async_trait::async_trait;
use livedrop::collections::{AsyncDropCache, AsyncDropHashMap, AsyncDropStack, AsyncDropVec};
use livedrop::hook::{self, Unhandled};
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, bracket, with_async_drop};

/// Where the code of a [`Key`] panics, once its switch is on.
#[derive(Clone, Copy, PartialEq)]
enum In {
    Nothing,
    Drop,
    Hash,
    Eq,
}

/// A key whose code panics.
struct Key {
    number: u32,
    panics: In,
    switch: Arc<AtomicBool>,
}

impl Key {
    fn new(number: u32, panics: In) -> Self {
        Self { number, panics, switch: Arc::new(AtomicBool::new(true)) }
    }

    fn panic(&self, place: In) {
        assert!(self.panics != place || !self.switch.load(SeqCst), "in the key");
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.panic(In::Drop);
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.panic(In::Hash);
        self.number.hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.panic(In::Eq);
        other.panic(In::Eq);
        self.number == other.number
    }
}

impl Eq for Key {}

type Map = AsyncDropGuard<AsyncDropHashMap<Key, Numbered>>;

const PANIC: &str = "in the key";
const LOST: &str = "Numbered was dropped without its cleanup";

/// A map of ten values whose keys panic in their `Drop`, if their number is in `panicking`.
fn ten(waits: usize, panicking: &[u32]) -> (Row, Map) {
    let (mut row, mut map) = (Row::default(), AsyncDropHashMap::new());
    for number in 0..10 {
        let panics = if panicking.contains(&number) { In::Drop } else { In::Nothing };
        let guard = AsyncDropGuard::new(row.value(waits, Ending::Ok));
        assert!(map.insert(Key::new(number, panics), guard).is_none());
    }
    (row, map)
}

/// Asserts that each value was dropped once, and that `cleaned` of them were cleaned up before.
#[track_caller]
fn expect_cleaned(row: &Row, cleaned: usize) {
    let counts = row.counts();
    assert!(
        counts.iter().all(|(begun, ended, dropped)| begun == ended && *dropped == 1),
        "{counts:?}"
    );
    assert_eq!(counts.iter().filter(|(_, ended, _)| *ended == 1).count(), cleaned, "{counts:?}");
}

#[test]
fn keys_that_panic_do_not_stop_the_cleanup() {
    for waits in 0..2 {
        let reports = Reports::collect();
        let (row, mut map) = ten(waits, &[5, 7]);
        assert_eq!(panic_of(|| block_on(map.async_drop())), PANIC);
        row.expect_cleaned_once();
        drop(map);
        reports.expect(&["cleanup of Numbered failed as well: panicked: in the key"]);
    }
}

#[test]
fn cancelled_cleanup_keeps_the_panic_of_a_key() {
    let reports = Reports::collect();
    let (row, mut map) = ten(2, &[5]);
    cancel_after(1, map.async_drop());
    assert_eq!(panic_of(|| block_on(map.async_drop())), PANIC);
    let counts = row.counts();
    assert!(counts.iter().all(|(_, ended, dropped)| (*ended, *dropped) == (1, 1)), "{counts:?}");
    reports.expect_none();
}

#[test]
fn removed_guard_is_reported_when_its_key_panics() {
    let reports = Reports::collect();
    let (row, mut map) = ten(0, &[5]);
    assert_eq!(panic_of(|| drop(map.remove(&Key::new(5, In::Nothing)))), PANIC);
    reports.expect_one(LOST);
    block_on(map.async_drop()).unwrap();
    expect_cleaned(&row, 9);
    reports.expect_none();
}

#[test]
fn inserting_an_equal_key_that_panics_loses_nothing() {
    let reports = Reports::collect();
    for panics in [In::Drop, In::Hash, In::Eq] {
        let (mut row, mut map) = ten(0, &[]);
        let guard = AsyncDropGuard::new(row.value(0, Ending::Ok));
        assert_eq!(panic_of(|| drop(map.insert(Key::new(5, panics), guard))), PANIC);
        reports.expect_one(LOST);
        assert_eq!(map.len(), 10);
        block_on(map.async_drop()).unwrap();
        expect_cleaned(&row, 10);
    }
    reports.expect_none();
}

#[test]
fn refused_guard_is_reported_when_its_key_panics() {
    for panics in [In::Drop, In::Hash, In::Eq] {
        let reports = Reports::collect();
        let (mut row, mut map) = ten(0, &[]);
        let guard = AsyncDropGuard::new(row.value(0, Ending::Ok));
        let text = panic_of(|| match map.try_insert(Key::new(5, panics), guard) {
            Ok(_) => panic!("there is an entry"),
            Err(occupied) => drop(occupied),
        });
        assert_eq!(text, PANIC);
        reports.expect_one(LOST);
        assert_eq!(map.len(), 10);
        block_on(map.async_drop()).unwrap();
        expect_cleaned(&row, 10);
        reports.expect_none();
    }
}

#[test]
fn lookup_that_panics_leaves_the_map_unchanged() {
    for panics in [In::Hash, In::Eq] {
        let (row, mut map) = ten(0, &[]);
        let key = Key::new(5, panics);
        assert_eq!(panic_of(|| map.get(&key).is_some()), PANIC);
        assert_eq!(panic_of(|| map.get_mut(&key).is_some()), PANIC);
        assert_eq!(panic_of(|| map.contains_key(&key)), PANIC);
        assert_eq!(panic_of(|| drop(map.remove(&key))), PANIC);
        assert_eq!(map.len(), 10);
        block_on(map.async_drop()).unwrap();
        row.expect_cleaned_once();
    }
}

#[test]
fn dropped_map_reports_every_guard_though_keys_panic() {
    alone("foreign_code::dropped_map_reports_every_guard_though_keys_panic", || {
        let reports = Reports::collect();
        let (row, map) = ten(0, &[2, 5, 7]);
        assert_eq!(panic_of(|| drop(AsyncDropGuard::into_inner_without_cleanup(map))), PANIC);
        assert_eq!(reports.take().len(), 10);
        expect_cleaned(&row, 0);
    });
}

#[test]
fn map_dropped_while_unwinding_survives_keys_that_panic() {
    alone("foreign_code::map_dropped_while_unwinding_survives_keys_that_panic", || {
        let reports = Reports::collect();
        let (row, map) = ten(0, &[2, 5, 7]);
        let text = panic_of(|| {
            let _map = map;
            panic!("first");
        });
        assert_eq!(text, "first");
        assert_eq!(reports.take().len(), 11);
        expect_cleaned(&row, 0);
    });
}

/// A map of ten values. Once the switch is on, the keys 5 and 7 panic in their `Hash`.
fn ten_with_a_switch() -> (Row, Map, Arc<AtomicBool>) {
    let (mut row, mut map) = (Row::default(), AsyncDropHashMap::new());
    let switch = Arc::new(AtomicBool::new(false));
    for number in 0..10 {
        let panics = if [5, 7].contains(&number) { In::Hash } else { In::Nothing };
        let key = Key { number, panics, switch: Arc::clone(&switch) };
        assert!(map.insert(key, AsyncDropGuard::new(row.value(0, Ending::Ok))).is_none());
    }
    (row, map, switch)
}

#[test]
fn dropped_drain_puts_the_other_entries_back() {
    let reports = Reports::collect();
    let (row, mut map, switch) = ten_with_a_switch();
    let drain = map.drain();
    switch.store(true, SeqCst);
    assert_eq!(panic_of(|| drop(drain)), PANIC);
    assert_eq!(map.len(), 8);
    reports.expect(&[LOST, LOST]);
    block_on(map.async_drop()).unwrap();
    expect_cleaned(&row, 8);
    reports.expect_none();
}

#[test]
fn drain_dropped_while_unwinding_survives_a_panicking_hash() {
    alone("foreign_code::drain_dropped_while_unwinding_survives_a_panicking_hash", || {
        let reports = Reports::collect();
        let (row, mut map, switch) = ten_with_a_switch();
        let text = panic_of(|| {
            let _drain = map.drain();
            switch.store(true, SeqCst);
            panic!("first");
        });
        assert_eq!(text, "first");
        assert_eq!(map.len(), 8);
        reports.expect(&[LOST, LOST]);
        block_on(map.async_drop()).unwrap();
        expect_cleaned(&row, 8);
    });
}

/// A value that panics in its `Drop`.
struct Panics(Numbered);

#[async_trait]
impl AsyncDrop for Panics {
    type Error = u32;

    async fn async_drop_impl(&mut self) -> Result<(), u32> {
        self.0.async_drop_impl().await
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        panic!("in the value");
    }
}

/// Drops the container that `fill` makes of three values while the thread unwinds.
fn survives_while_unwinding<T>(fill: impl FnOnce([AsyncDropGuard<Panics>; 3]) -> T) {
    let reports = Reports::collect();
    let mut row = Row::default();
    let container = fill([(); 3].map(|()| AsyncDropGuard::new(Panics(row.value(9, Ending::Ok)))));
    let text = panic_of(|| {
        let _container = container;
        panic!("first");
    });
    assert_eq!(text, "first");
    let texts = reports.take();
    let lost = texts.iter().filter(|text| text.starts_with("Panics was dropped without")).count();
    assert_eq!(lost, 3, "{texts:?}");
    assert!(row.counts().iter().all(|(_, ended, dropped)| (*ended, *dropped) == (0, 1)));
}

#[test]
fn containers_dropped_while_unwinding_survive_values_that_panic() {
    alone("foreign_code::containers_dropped_while_unwinding_survive_values_that_panic", || {
        survives_while_unwinding(|guards| {
            let mut vec = AsyncDropVec::new();
            vec.extend(guards);
            vec
        });
        survives_while_unwinding(|guards| {
            let mut vec = AsyncDropVec::new();
            vec.extend(guards);
            cancel_after(1, vec.async_drop());
            vec
        });
        survives_while_unwinding(|guards| {
            let mut map = AsyncDropHashMap::new();
            for (key, guard) in guards.into_iter().enumerate() {
                assert!(map.insert(key, guard).is_none());
            }
            map
        });
        survives_while_unwinding(|guards| {
            let mut stack = AsyncDropStack::new();
            for guard in guards {
                stack.push(guard);
            }
            stack
        });
    });
}

/// An error that panics in its `Debug`, and in its `Drop` if it is `true`.
struct Mute(bool);

impl Debug for Mute {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in the error's `Debug`");
    }
}

impl Drop for Mute {
    fn drop(&mut self) {
        assert!(!self.0, "in the error's `Drop`");
    }
}

/// A value whose cleanup fails with a [`Mute`].
struct Fails(bool);

#[async_trait]
impl AsyncDrop for Fails {
    type Error = Mute;

    async fn async_drop_impl(&mut self) -> Result<(), Mute> {
        Err(Mute(self.0))
    }
}

#[test]
fn report_of_an_error_names_the_panic_of_its_debug() {
    alone("foreign_code::report_of_an_error_names_the_panic_of_its_debug", || {
        for panics_in_drop in [false, true] {
            let reports = Reports::collect();
            let guard = AsyncDropGuard::new(Fails(panics_in_drop));
            let body = block_on(AsyncDropGuard::async_drop_on_err(guard, Err::<(), _>("body")));
            assert_eq!(body.err(), Some("body"));
            reports.expect_one(
                "cleanup of Fails failed as well: its `Debug` panicked: in the error's `Debug`",
            );
        }
    });
}

#[test]
fn reaper_keeps_an_error_whose_debug_panics() {
    alone("foreign_code::reaper_keeps_an_error_whose_debug_panics", || {
        for panics_in_drop in [false, true] {
            let mut reaper = Reaper::new();
            drop(reaper.adopt(AsyncDropGuard::new(Fails(panics_in_drop))));
            let mut report = block_on(reaper.drain());
            let failure = report.failures.pop().expect("the cleanup failed");
            assert_eq!(failure.message, "its `Debug` panicked: in the error's `Debug`");
            assert!(!failure.is_panic());
            std::mem::forget(failure.downcast::<Mute>().expect("the error is kept"));
            block_on(reaper.async_drop()).unwrap();
        }
    });
}

/// Two of them in a `Vec` would abort.
#[test]
fn dropped_report_survives_errors_that_panic() {
    alone("foreign_code::dropped_report_survives_errors_that_panic", || {
        let reaper = Reaper::new();
        let orphans = || (0..2).for_each(|_| drop(reaper.adopt(AsyncDropGuard::new(Fails(true)))));
        orphans();
        drop(block_on(reaper.drain()));
        orphans();
        let run = reaper.run();
        let reports = Reports::collect();
        drop(reaper);
        block_on(run);
        assert_eq!(reports.take().len(), 1, "only the reaper is reported");
    });
}

/// The error of a body, which may hold a guard.
#[derive(Debug)]
struct BodyError(#[expect(dead_code, reason = "it is dropped")] Option<AsyncDropGuard<Numbered>>);

impl From<u32> for BodyError {
    fn from(_: u32) -> Self {
        panic!("in `From`");
    }
}

#[test]
fn panicking_hook_does_not_leak_the_error_of_a_body() {
    let mut row = Row::default();
    let lost = Arc::<AtomicBool>::default();
    let sink = Arc::clone(&lost);
    let _hook = hook::scoped(move |unhandled| match unhandled {
        Unhandled::Suppressed { .. } => panic!("in the hook"),
        _ => sink.store(true, SeqCst),
    });
    let (guard, held) = (row.value(0, Ending::Err), row.value(0, Ending::Ok));
    let text = panic_of(|| {
        block_on(with_async_drop(AsyncDropGuard::new(guard), async |_| {
            Err::<(), _>(BodyError(Some(AsyncDropGuard::new(held))))
        }))
    });
    assert_eq!(text, "in the hook");
    assert!(lost.load(SeqCst), "the guard inside the error is reported");
    expect_cleaned(&row, 1);
}

#[test]
fn panicking_from_leaves_other_errors_to_the_hook() {
    let reports = Reports::collect();
    let mut row = Row::default();
    let a = AsyncDropGuard::new(row.value(0, Ending::Err));
    let b = AsyncDropGuard::new(row.value(1, Ending::Err));
    let text = panic_of(|| {
        block_on(async {
            with_async_drop!(a, b, {
                let _both = (&a, &b);
                Ok::<(), BodyError>(())
            })
        })
    });
    assert_eq!(text, "in `From`");
    row.expect_cleaned_once();
    reports.expect(&["cleanup of Numbered failed as well: 1"]);
}

struct Second;

#[async_trait]
impl AsyncDrop for Second {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A future that is ready at once, and panics in its `Drop`.
struct Opens(Option<AsyncDropGuard<Numbered>>, usize);

impl Opens {
    fn new(row: &mut Row, waits: usize) -> Self {
        Self(Some(AsyncDropGuard::new(row.value(0, Ending::Ok))), waits)
    }
}

impl Future for Opens {
    type Output = Result<AsyncDropGuard<Numbered>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.1 > 0 {
            self.1 -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(self.0.take().expect("it is polled once")))
    }
}

impl Drop for Opens {
    fn drop(&mut self) {
        panic!("in the future");
    }
}

/// Asserts that the future's panic is resumed, and that its output is reported once.
#[track_caller]
fn expect_output_reported<F: Future>(make: impl FnOnce(Opens) -> F) {
    let (reports, mut row) = (Reports::collect(), Row::default());
    let future = make(Opens::new(&mut row, 0));
    assert_eq!(panic_of(|| block_on(future)), "in the future");
    reports.expect_one(LOST);
    expect_cleaned(&row, 0);
}

#[test]
fn output_of_a_future_that_panics_is_reported() {
    let mut reaper = Reaper::new();
    let handle = reaper.handle();
    expect_output_reported(|opens| handle.shield(opens));
    let guard = reaper.adopt(AsyncDropGuard::new(Second));
    expect_output_reported(|opens| guard.async_drop_via(|_| opens));
    let guard = AsyncDropGuard::new(Second);
    expect_output_reported(|opens| guard.async_drop_via(|_| opens));
    let guard = AsyncDropGuard::new(Second);
    expect_output_reported(|opens| bracket(guard, |_: &mut Second| opens));
    let cache = AsyncDropCache::new();
    expect_output_reported(|opens| cache.get("key", opens));
    let cache = AsyncDropCache::adopted(&reaper);
    expect_output_reported(|opens| cache.get("key", opens));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn orphan_whose_future_panics_reports_its_output() {
    let (reports, mut row) = (Reports::collect(), Row::default());
    let mut reaper = Reaper::new();
    cancel_after(1, reaper.handle().shield(Opens::new(&mut row, 1)));
    let guard = reaper.adopt(AsyncDropGuard::new(Second));
    cancel_after(1, guard.async_drop_via(|_| Opens::new(&mut row, 1)));
    let report = block_on(reaper.drain());
    assert_eq!(report.failures.len(), 2);
    reports.expect(&[LOST, LOST]);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn reaper_does_not_wait_for_an_opening_that_panics() {
    let (reports, mut row) = (Reports::collect(), Row::default());
    let mut reaper = Reaper::new();
    let opening = reaper.handle().acquire(Opens::new(&mut row, 0));
    assert_eq!(panic_of(|| block_on(opening)), "in the future");
    reports.expect_one(LOST);
    // Its caller is cancelled: the reaper continues the opening.
    cancel_after(1, reaper.handle().acquire(Opens::new(&mut row, 1)));
    let report = block_on(reaper.drain());
    assert_eq!(report.failures.len(), 1);
    reports.expect_one(LOST);
    expect_cleaned(&row, 0);
    assert!(block_on(reaper.async_drop()).is_ok());
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in the hook's `Drop`");
    }
}

#[test]
fn scoped_hook_that_panics_in_drop_does_not_abort() {
    alone("foreign_code::scoped_hook_that_panics_in_drop_does_not_abort", || {
        let text = panic_of(|| {
            let captured = PanicsInDrop;
            let _hook = hook::scoped(move |_| {
                let _ = &captured;
            });
            panic!("first");
        });
        assert_eq!(text, "first");
    });
}

/// A value whose cleanup panics, and whose `Drop` panics, too.
struct PanicsTwice;

#[async_trait]
impl AsyncDrop for PanicsTwice {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        panic!("in the cleanup");
    }
}

impl Drop for PanicsTwice {
    fn drop(&mut self) {
        panic!("in the value");
    }
}

const CLEANUP: &str = "cleanup of PanicsTwice failed as well: panicked: in the cleanup";
const VALUE: &str = "cleanup of PanicsTwice failed as well: panicked: in the value";

#[test]
fn orphan_that_panics_twice_does_not_abort() {
    alone("foreign_code::orphan_that_panics_twice_does_not_abort", || {
        let (reports, mut row) = (Reports::collect(), Row::default());
        let mut reaper = Reaper::new();
        drop(reaper.adopt(AsyncDropGuard::new(PanicsTwice)));
        drop(reaper.adopt(AsyncDropGuard::new(row.value(1, Ending::Ok))));
        let report = block_on(reaper.drain());
        assert_eq!(report.failures.len(), 1);
        assert_eq!(report.failures[0].message, "panicked: in the cleanup");
        row.expect_cleaned_once();
        // The owner awaits the cleanup.
        let mut guard = reaper.adopt(AsyncDropGuard::new(PanicsTwice));
        assert_eq!(panic_of(|| block_on(guard.async_drop())), "in the cleanup");
        block_on(reaper.async_drop()).unwrap();
        reports.expect(&[VALUE; 2]);
    });
}

#[test]
fn member_that_panics_twice_does_not_stop_a_container() {
    alone("foreign_code::member_that_panics_twice_does_not_stop_a_container", || {
        let reports = Reports::collect();
        let mut vec = AsyncDropVec::new();
        vec.extend([(); 3].map(|()| AsyncDropGuard::new(PanicsTwice)));
        assert_eq!(panic_of(|| block_on(vec.async_drop())), "in the cleanup");
        assert!(vec.is_dropped());
        reports.expect(&[VALUE, VALUE, CLEANUP, VALUE, CLEANUP]);
    });
}
