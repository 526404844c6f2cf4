//! `AsyncDropHashMap`: it loses no guard, and cleans up every entry once.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::rc::Rc;
use std::task::{Context, Waker};

use crate::numbered::{Numbered, Plan, Row, Tested, clean};
use crate::support::{Ending, Reports, block_on, cancel_after, created_at, panic_of, run, wait};
use livedrop::collections::{AsyncDropHashMap, OccupiedError};
use livedrop::scope::Proof;
use livedrop::{AsyncDropGuard, Checked, Live, Reaper, hook, scope};
use static_assertions::{assert_impl_all, assert_not_impl_any};

/// A hasher with the same order in every map, so that polls can be counted.
type Fixed = BuildHasherDefault<DefaultHasher>;

type Map<S> = AsyncDropHashMap<u32, Numbered, S, Fixed>;

trait Maps: Tested {
    fn map() -> AsyncDropGuard<Map<Self>, Self>;
}

impl Maps for Checked {
    fn map() -> AsyncDropGuard<Map<Checked>> {
        AsyncDropHashMap::with_hasher(Fixed::new())
    }
}

impl Maps for Live {
    fn map() -> AsyncDropGuard<Map<Live>, Live> {
        AsyncDropHashMap::live_with_hasher(Fixed::new())
    }
}

/// A map of the values of `plan`, by their numbers.
fn filled<S: Maps>(plan: Plan<'_>) -> (Row, AsyncDropGuard<Map<S>>) {
    let (mut row, mut map) = (Row::default(), S::in_place(S::map()));
    for &(waits, ending) in plan {
        let value = row.value(waits, ending);
        assert!(map.insert(value.number, S::guard(value)).is_none());
    }
    (row, map)
}

fn many<S: Maps>(count: usize, waits: usize) -> (Row, AsyncDropGuard<Map<S>>) {
    filled(&vec![(waits, Ending::Ok); count])
}

const MIXED: Plan<'_> = &[
    (0, Ending::Ok),
    (8, Ending::Err),
    (2, Ending::Ok),
    (0, Ending::Err),
    (6, Ending::Ok),
    (4, Ending::Err),
];

assert_impl_all!(AsyncDropHashMap<u32, Numbered>: Send, Sync);
assert_impl_all!(AsyncDropHashMap<u32, Numbered, Live>: Send, Sync);
assert_not_impl_any!(AsyncDropHashMap<u32, Numbered>: Clone, Copy, Default);
assert_not_impl_any!(AsyncDropHashMap<*const u8, Numbered>: Send, Sync);

in_both_states! {
    #[test]
    fn try_insert_returns_the_refused_guard() {
        let (mut row, mut map) = (Row::default(), S::map());
        let first = row.value(0, Ending::Ok);
        assert_eq!(map.try_insert(7, S::guard(first)).unwrap().number, 0);
        let second = row.value(0, Ending::Ok);
        let OccupiedError { entry, value } = map.try_insert(7, S::guard(second)).unwrap_err();
        assert_eq!((entry.get().number, value.number), (0, 1));
        clean(value).unwrap();
        assert_eq!(row.counts(), [(0, 0, 0), (1, 1, 1)]);
        clean(map).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn occupied_error_shows_the_key_not_the_value() {
        let (mut row, mut map) = (Row::default(), S::map());
        map.try_insert(7, S::guard(row.value(0, Ending::Ok))).unwrap();
        let refused = map.try_insert(7, S::guard(row.value(0, Ending::Ok))).unwrap_err();
        assert_eq!(format!("{refused:?}"), "OccupiedError { key: 7, .. }");
        clean(refused.value).unwrap();
        clean(map).unwrap();
    }

    #[test]
    fn occupied_entry_exchanges_its_guard() {
        let (mut row, mut map) = (Row::default(), S::map());
        map.try_insert(7, S::guard(row.value(0, Ending::Ok))).unwrap();
        let refused = map.try_insert(7, S::guard(row.value(0, Ending::Ok))).unwrap_err();
        let OccupiedError { mut entry, value } = refused;
        let exchanged = entry.insert(value);
        assert_eq!((exchanged.number, map.get(&7).unwrap().number), (0, 1));
        clean(exchanged).unwrap();
        clean(map).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn insert_returns_the_replaced_guard() {
        let (mut row, mut map) = (Row::default(), S::map());
        assert!(map.insert(7, S::guard(row.value(0, Ending::Ok))).is_none());
        let replaced = map.insert(7, S::guard(row.value(0, Ending::Ok))).unwrap();
        assert_eq!((replaced.number, map.len()), (0, 1));
        clean(replaced).unwrap();
        clean(map).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn remove_returns_the_guard() {
        let (row, mut map) = filled::<S>(&[(0, Ending::Ok), (0, Ending::Ok)]);
        assert!(map.remove(&9).is_none());
        let removed = map.remove(&1).unwrap();
        assert_eq!(map.len(), 1);
        clean(removed).unwrap();
        assert_eq!(row.counts(), [(0, 0, 0), (1, 1, 1)]);
        block_on(map.async_drop()).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn entries_are_found_and_listed() {
        let (_row, mut map) = filled::<S>(MIXED);
        assert_eq!(map.get(&3).unwrap().number, 3);
        assert!(map.get(&9).is_none());
        assert!(map.contains_key(&3) && !map.contains_key(&9));
        map.get_mut(&3).unwrap().number = 13;
        for guard in map.values_mut() {
            guard.number += 100;
        }
        for (_, guard) in map.iter_mut() {
            guard.number += 100;
        }
        for (_, guard) in &mut *map {
            guard.number += 100;
        }
        let expected = BTreeSet::from([(0, 300), (1, 301), (2, 302), (3, 313), (4, 304), (5, 305)]);
        let listed = map.iter().map(|(key, guard)| (*key, guard.number));
        assert_eq!(listed.collect::<BTreeSet<_>>(), expected);
        let listed = (&*map).into_iter().map(|(key, guard)| (*key, guard.number));
        assert_eq!(listed.collect::<BTreeSet<_>>(), expected);
        assert_eq!(map.keys().copied().collect::<BTreeSet<_>>(), (0..6).collect());
        assert_eq!(map.values().map(|guard| guard.number).collect::<BTreeSet<_>>().len(), 6);
        assert!(map.len() == 6 && !map.is_empty());
        assert!(block_on(map.async_drop()).is_err());
    }

    #[test]
    fn shown_as_a_map() {
        let (_row, mut map) = filled::<S>(&[(5, Ending::Ok)]);
        let shown = format!("{map:?}");
        assert!(shown.starts_with("{0: Numbered { number: 0, waits: 5"), "{shown}");
        block_on(map.async_drop()).unwrap();
    }

    #[test]
    fn drain_hands_out_everything() {
        let (row, mut map) = many::<S>(5, 1);
        let drained: Vec<_> = map.drain().collect();
        assert!(map.is_empty());
        block_on(map.async_drop()).unwrap();
        assert_eq!(row.counts(), [(0, 0, 0); 5]);
        for (key, guard) in drained {
            assert_eq!(key, guard.number);
            clean(guard).unwrap();
        }
        row.expect_cleaned_once();
    }

    #[test]
    fn dropped_drain_leaves_the_rest() {
        let (row, mut map) = many::<S>(5, 1);
        let drained: Vec<_> = map.drain().take(2).collect();
        assert_eq!(map.len(), 3);
        for (key, guard) in drained {
            assert!(!map.contains_key(&key));
            clean(guard).unwrap();
        }
        block_on(map.async_drop()).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn empty_map_is_cleaned_at_once() {
        let reports = Reports::collect();
        let mut map = S::in_place(S::map());
        assert_eq!(run(map.async_drop()), (1, Ok(())));
        drop(map);
        reports.expect_none();
    }

    #[test]
    fn entries_without_waits_are_cleaned_in_one_poll() {
        let (row, mut map) = many::<S>(100, 0);
        assert_eq!(run(map.async_drop()), (1, Ok(())));
        row.expect_cleaned_once();
    }

    #[test]
    fn cleans_the_rest_and_returns_errors_as_found() {
        let reports = Reports::collect();
        let (row, mut map) = filled::<S>(MIXED);
        let errors = block_on(map.async_drop()).unwrap_err();
        // A cleanup with fewer waits ends sooner.
        assert_eq!(errors.into_iter().collect::<Vec<_>>(), [3, 5, 1]);
        drop(map);
        row.expect_cleaned_once();
        reports.expect_none();
    }

    #[test]
    fn cleans_the_rest_and_resumes_the_first_panic() {
        let reports = Reports::collect();
        let (row, mut map) = filled::<S>(&[
            (4, Ending::Panic),
            (0, Ending::Err),
            (2, Ending::Panic),
            (8, Ending::Ok),
            (6, Ending::Err),
        ]);
        assert_eq!(panic_of(|| block_on(map.async_drop())), "2 went wrong");
        assert!(map.is_dropped());
        row.expect_cleaned_once();
        assert_eq!(
            reports.take(),
            [
                "cleanup of Numbered failed as well: panicked: 0 went wrong",
                "cleanup of Numbered failed as well: 1",
                "cleanup of Numbered failed as well: 4",
            ]
        );
    }

    #[test]
    fn cancelled_anywhere_the_next_call_finishes_the_rest() {
        for limit in [None, Some(1), Some(2), Some(6)] {
            let start = || {
                let (row, mut map) = filled::<S>(MIXED);
                if let Some(limit) = limit {
                    map.set_concurrency(limit);
                }
                (row, map)
            };
            let total = run(start().1.async_drop()).0;
            for polls in 0..total {
                let reports = Reports::collect();
                let (row, mut map) = start();
                cancel_after(polls, map.async_drop());
                assert_eq!(map.is_empty(), polls > 0);
                let before = row.counts();
                let found = [1, 3, 5].map(|failing: usize| before[failing].1);
                let errors = block_on(map.async_drop()).unwrap_err();
                row.expect_only_the_rest_cleaned(&before);
                drop(map);
                let errors: Vec<_> = errors.into_iter().collect();
                assert_eq!(BTreeSet::from_iter(errors.clone()), BTreeSet::from([1, 3, 5]));
                // The errors of the cancelled cleanup come first.
                for (position, error) in errors.iter().enumerate() {
                    let was_found = before[*error as usize].1 == 1;
                    assert_eq!(was_found, position < found.iter().sum(), "{errors:?}");
                }
                reports.expect_none();
            }
            assert!(total > 3);
        }
    }

    #[test]
    fn cancelled_twice_the_third_call_finishes_the_rest() {
        for (first, second) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            let (row, mut map) = filled::<S>(MIXED);
            cancel_after(first, map.async_drop());
            let between = row.counts();
            cancel_after(second, map.async_drop());
            let before = row.counts();
            for (between, before) in between.iter().zip(&before) {
                assert!(between.1 == 0 || between == before);
            }
            let errors = block_on(map.async_drop()).unwrap_err();
            row.expect_only_the_rest_cleaned(&before);
            assert_eq!(errors.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([1, 3, 5]));
        }
    }

    #[test]
    fn panic_before_a_cancellation_resumes_in_next_call() {
        let reports = Reports::collect();
        let (row, mut map) = filled::<S>(&[(0, Ending::Panic), (3, Ending::Ok), (3, Ending::Err)]);
        cancel_after(1, map.async_drop());
        let before = row.counts();
        assert_eq!(before[0], (1, 1, 1));
        assert_eq!(panic_of(|| block_on(map.async_drop())), "0 went wrong");
        row.expect_only_the_rest_cleaned(&before);
        reports.expect_one("cleanup of Numbered failed as well: 2");
    }

    #[test]
    fn errors_without_next_call_go_to_the_hook() {
        let reports = Reports::collect();
        let (row, mut map) = filled::<S>(&[(0, Ending::Err), (0, Ending::Panic), (3, Ending::Ok)]);
        cancel_after(1, map.async_drop());
        reports.expect_none();
        drop(map);
        let texts = reports.take();
        assert!(
            texts[0].starts_with("async_drop on AsyncDropHashMap<u32, Numbered"),
            "{texts:?}"
        );
        for text in [
            "cleanup of Numbered failed as well: 0",
            "cleanup of Numbered failed as well: panicked: 1 went wrong",
        ] {
            assert!(texts.iter().any(|found| found == text), "{texts:?}");
        }
        assert_eq!(row.counts(), [(1, 1, 1), (1, 1, 1), (1, 0, 1)]);
    }

    #[test]
    fn map_takes_guards_after_a_cancelled_cleanup() {
        let (mut row, mut map) = filled::<S>(MIXED);
        cancel_after(1, map.async_drop());
        assert!(map.is_empty() && map.get(&1).is_none() && map.drain().next().is_none());
        let late = row.value(1, Ending::Err);
        assert!(map.insert(1, S::guard(late)).is_none());
        assert_eq!(map.len(), 1);
        let before = row.counts();
        let errors = block_on(map.async_drop()).unwrap_err();
        row.expect_only_the_rest_cleaned(&before);
        assert_eq!(errors.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([1, 3, 5, 6]));
    }

    #[test]
    fn future_that_is_leaked_loses_nothing() {
        let (row, mut map) = filled::<S>(MIXED);
        let mut cleanup = Box::pin(map.async_drop());
        assert!(cleanup.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        std::mem::forget(cleanup);
        let before = row.counts();
        let errors = block_on(map.async_drop()).unwrap_err();
        row.expect_only_the_rest_cleaned(&before);
        assert_eq!(errors.len(), 3);
    }

    #[test]
    fn limit_is_reached_and_never_exceeded() {
        for limit in 1..=6 {
            let (row, mut map) = many::<S>(12, 3);
            assert_eq!(map.set_concurrency(limit).len(), 12);
            block_on(map.async_drop()).unwrap();
            row.expect_cleaned_once();
            assert_eq!(row.concurrency.most(), limit);
        }
    }

    #[test]
    fn without_a_limit_all_run_at_a_time() {
        let (row, mut map) = many::<S>(40, 3);
        block_on(map.async_drop()).unwrap();
        assert_eq!(row.concurrency.most(), 40);
    }

    #[test]
    fn limit_of_zero_panics_with_type_and_remedy() {
        let (row, mut map) = many::<S>(1, 0);
        let text = panic_of(|| map.set_concurrency(0).len());
        let beginning = "set_concurrency(0) on AsyncDropHashMap<u32, Numbered";
        assert!(text.starts_with(beginning) && text.contains("at least 1"), "{text}");
        block_on(map.async_drop()).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn nested_maps_do_not_block_each_other() {
        let mut row = Row::default();
        let mut outermost = AsyncDropHashMap::new();
        outermost.set_concurrency(1);
        for outer in 0..3 {
            let mut middle = AsyncDropHashMap::new();
            middle.set_concurrency(1);
            for inner in 0..3 {
                let mut innermost = S::in_place(S::map());
                innermost.set_concurrency(1);
                for key in 0..3 {
                    let guard = S::guard(row.value(2, Ending::Err));
                    assert!(innermost.insert(key, guard).is_none());
                }
                assert!(middle.insert(inner, innermost).is_none());
            }
            assert!(outermost.insert(outer, middle).is_none());
        }
        let errors = block_on(outermost.async_drop()).unwrap_err();
        assert_eq!(errors.into_iter().flatten().flatten().count(), 27);
        row.expect_cleaned_once();
        assert_eq!(row.concurrency.most(), 1);
    }

    #[test]
    fn cleanup_is_send() {
        fn send<T: Send>(value: T) -> T {
            value
        }
        let (_row, mut map) = many::<S>(2, 1);
        block_on(send(map.async_drop())).unwrap();
    }
}

#[test]
fn used_after_cleanup_panics_with_type_and_site() {
    let line = line!() + 1;
    let mut map = AsyncDropHashMap::<u32, Numbered>::new();
    block_on(map.async_drop()).unwrap();
    let guard = AsyncDropGuard::new(Row::default().value(0, Ending::Ok));
    let text = panic_of(|| map.len());
    let beginning = "used AsyncDropHashMap<u32, Numbered> after its cleanup";
    assert!(text.starts_with(&format!("{beginning}{}", created_at(file!(), line))), "{text}");
    clean(guard).unwrap();
}

#[test]
fn forgotten_map_panics_with_type_and_site() {
    let line = line!() + 1;
    let map = AsyncDropHashMap::<u32, Numbered, Live>::live();
    let text = panic_of(|| drop(map));
    let beginning = "Forgot to call async_drop on AsyncDropHashMap<u32, Numbered, Live>";
    assert!(text.starts_with(&format!("{beginning}{}", created_at(file!(), line))), "{text}");
}

/// The `HashMap` of std leaks its other entries if the drop of one panics.
#[test]
fn every_guard_is_reported_though_the_hook_panics() {
    let reports = Rc::new(Cell::new(0));
    let count = Rc::clone(&reports);
    let hook = hook::scoped(move |unhandled| {
        count.set(count.get() + 1);
        hook::panic(unhandled);
    });

    let (row, map) = filled::<Checked>(&[(0, Ending::Ok); 3]);
    let without_its_guard = AsyncDropGuard::into_inner_without_cleanup(map);
    panic_of(|| drop(without_its_guard));
    assert_eq!((reports.take(), row.counts()), (3, vec![(0, 0, 1); 3]));

    let (reaper, mut row) = (Reaper::new(), Row::default());
    let mut map = AsyncDropHashMap::adopted(&reaper.handle());
    for key in 0..3_u32 {
        let guard = reaper.adopt(AsyncDropGuard::new(row.value(0, Ending::Ok)));
        assert!(map.insert(key, guard).is_none());
    }
    drop(map);
    assert_eq!(reaper.abandon().abandoned.len(), 4);
    assert_eq!((reports.take(), row.counts()), (0, vec![(0, 0, 1); 3]), "the report names them");
    drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
    drop(hook);
}

#[test]
fn live_map_gives_its_proof_beside_the_errors() {
    let mut row = Row::default();
    let mut map = AsyncDropHashMap::live();
    assert!(map.insert(1, AsyncDropGuard::live(row.value(1, Ending::Err))).is_none());
    let outcome = block_on(map.async_drop());
    drop(outcome.proof);
    assert_eq!(outcome.result.unwrap_err().into_first(), 0);
}

#[test]
fn cancelled_live_map_is_reported_with_its_entries() {
    let (reports, mut row) = (Reports::collect(), Row::default());
    let mut map = AsyncDropHashMap::live();
    for (key, waits) in [(1, 0), (2, 3)] {
        assert!(map.insert(key, AsyncDropGuard::live(row.value(waits, Ending::Ok))).is_none());
    }
    cancel_after(1, map.async_drop());
    let texts = reports.take();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].starts_with("async_drop on AsyncDropHashMap<"), "{texts:?}");
    assert!(texts[1].starts_with("async_drop on Numbered was cancelled"), "{texts:?}");
    assert_eq!(row.counts(), [(1, 1, 1), (1, 0, 1)]);
}

#[test]
fn entry_cleaned_inside_the_map_is_not_repeated() {
    let (row, mut map) = many::<Checked>(2, 1);
    block_on(map.get_mut(&1).unwrap().async_drop()).unwrap();
    assert_eq!(row.counts(), [(0, 0, 0), (1, 1, 1)]);
    block_on(map.async_drop()).unwrap();
    row.expect_cleaned_once();
}

#[test]
fn scoped_guard_keeps_its_brand_through_a_map() {
    let mut row = Row::default();
    let guard = AsyncDropGuard::live(row.value(2, Ending::Ok));
    let waited = block_on(scope(guard, async |guard| {
        let mut map = AsyncDropHashMap::live();
        assert!(map.insert("it", guard).is_none());
        wait(2).await;
        let guard = map.remove("it").unwrap();
        map.async_drop().await.result.unwrap();
        let proof: Proof<'_, Numbered> = guard.async_drop().await.proof;
        (proof, 2)
    }));
    assert_eq!(waited, 2);
    row.expect_cleaned_once();
}

#[test]
fn keys_may_borrow() {
    let (mut row, name) = (Row::default(), String::from("key"));
    let mut by_name = AsyncDropHashMap::<&str, Numbered>::new();
    let guard = AsyncDropGuard::new(row.value(0, Ending::Ok));
    assert!(by_name.insert(&name, guard).is_none());
    assert!(by_name.contains_key("key"));
    block_on(by_name.async_drop()).unwrap();
}

#[test]
fn hasher_is_the_callers() {
    let mut row = Row::default();
    let mut map = AsyncDropHashMap::<u32, Numbered, Checked, Fixed>::with_hasher(Fixed::new());
    let mut live = AsyncDropHashMap::<u32, Numbered, Live, Fixed>::live_with_hasher(Fixed::new());
    assert!(map.insert(1, AsyncDropGuard::new(row.value(1, Ending::Ok))).is_none());
    assert!(live.insert(1, AsyncDropGuard::live(row.value(1, Ending::Ok))).is_none());
    block_on(map.async_drop()).unwrap();
    block_on(live.async_drop()).result.unwrap();
    row.expect_cleaned_once();
}

#[test]
fn cleanup_runs_on_a_multi_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (row, mut map) = many::<Checked>(50, 3);
        map.set_concurrency(7);
        tokio::spawn(async move { map.async_drop().await }).await.unwrap().unwrap();
        row.expect_cleaned_once();
        assert_eq!(row.concurrency.most(), 7);
    });
}
