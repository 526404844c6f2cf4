//! `AsyncDropVec`, and a plain `Vec` of guards: they lose no guard, and clean up every guard once.

use std::collections::BTreeSet;
use std::convert::Infallible;

use crate::numbered::{Numbered, Plan, Row, Tested, clean};
use crate::support::{Ending, Reports, block_on, cancel_after, created_at, panic_of, run};
use async_trait::async_trait;
use livedrop::collections::AsyncDropVec;
use livedrop::scope::Proof;
use livedrop::{AsyncDrop, AsyncDropGuard, Checked, Live, scope};
use static_assertions::{assert_impl_all, assert_not_impl_any};

trait Vecs: Tested {
    fn empty() -> AsyncDropGuard<AsyncDropVec<Numbered, Self>, Self>;
}

impl Vecs for Checked {
    fn empty() -> AsyncDropGuard<AsyncDropVec<Numbered>> {
        AsyncDropVec::new()
    }
}

impl Vecs for Live {
    fn empty() -> AsyncDropGuard<AsyncDropVec<Numbered, Live>, Live> {
        AsyncDropVec::live()
    }
}

fn filled<S: Vecs>(plan: Plan<'_>) -> (Row, AsyncDropGuard<AsyncDropVec<Numbered, S>>) {
    let (mut row, mut vec) = (Row::default(), S::in_place(S::empty()));
    vec.extend(plan.iter().map(|&(waits, ending)| S::guard(row.value(waits, ending))));
    (row, vec)
}

fn many<S: Vecs>(count: usize, waits: usize) -> (Row, AsyncDropGuard<AsyncDropVec<Numbered, S>>) {
    filled(&vec![(waits, Ending::Ok); count])
}

fn plain<S: Vecs>(plan: Plan<'_>) -> (Row, AsyncDropGuard<Vec<AsyncDropGuard<Numbered, S>>>) {
    let (row, mut vec) = filled::<S>(plan);
    let guards = vec.drain().collect();
    block_on(vec.async_drop()).unwrap();
    (row, AsyncDropGuard::new(guards))
}

const MIXED: Plan<'_> = &[
    (0, Ending::Ok),
    (8, Ending::Err),
    (2, Ending::Ok),
    (0, Ending::Err),
    (6, Ending::Ok),
    (4, Ending::Err),
];

assert_impl_all!(AsyncDropVec<Numbered>: Send, Sync);
assert_impl_all!(AsyncDropVec<Numbered, Live>: Send, Sync);
assert_not_impl_any!(AsyncDropVec<Numbered>: Clone, Copy, Default);

in_both_states! {
    #[test]
    fn pushed_guards_are_popped_in_reverse() {
        let (mut row, mut vec) = (Row::default(), S::empty());
        vec.push(S::guard(row.value(0, Ending::Ok)));
        vec.push(S::guard(row.value(0, Ending::Ok)));
        assert_eq!(vec.len(), 2);
        for number in [1, 0] {
            let guard = vec.pop().unwrap();
            assert_eq!(guard.number, number);
            clean(guard).unwrap();
        }
        assert!(vec.pop().is_none() && vec.is_empty());
        clean(vec).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn remove_returns_the_guard_and_closes_the_gap() {
        let (row, mut vec) = many::<S>(3, 0);
        let removed = vec.remove(1);
        assert_eq!((removed.number, vec[1].number, vec.len()), (1, 2, 2));
        clean(removed).unwrap();
        block_on(vec.async_drop()).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn removing_beyond_the_end_panics_and_loses_nothing() {
        let (row, mut vec) = many::<S>(1, 0);
        assert!(panic_of(|| vec.remove(1).number).contains("is 1"));
        assert!(panic_of(|| vec[1].number).contains("is 1"));
        block_on(vec.async_drop()).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn guards_are_found_and_listed() {
        let (_row, mut vec) = many::<S>(3, 0);
        assert_eq!((vec.get(1).unwrap().number, vec[2].number, vec[1..].len()), (1, 2, 2));
        assert!(vec.get(3).is_none() && vec.get_mut(3).is_none());
        vec.get_mut(0).unwrap().number += 10;
        vec[1].number += 10;
        for guard in vec.iter_mut() {
            guard.number += 100;
        }
        for guard in &mut *vec {
            guard.number += 100;
        }
        let listed: Vec<_> = vec.iter().map(|guard| guard.number).collect();
        assert_eq!(listed, [210, 211, 202]);
        assert_eq!((&*vec).into_iter().count(), 3);
        assert!(format!("{vec:?}").starts_with("[Numbered { number: 210, "));
        block_on(vec.async_drop()).unwrap();
    }

    #[test]
    fn extend_keeps_guards_yielded_before_a_panic() {
        let (mut row, mut vec) = (Row::default(), S::in_place(S::empty()));
        let guards = (0..3).map(|turn| {
            assert!(turn < 2, "no more");
            S::guard(row.value(0, Ending::Ok))
        });
        assert_eq!(panic_of(|| vec.extend(guards)), "no more");
        assert_eq!(vec.len(), 2);
        block_on(vec.async_drop()).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn drain_yields_every_guard_in_order() {
        let (row, mut vec) = many::<S>(5, 1);
        let drained: Vec<_> = vec.drain().collect();
        assert!(vec.is_empty());
        block_on(vec.async_drop()).unwrap();
        assert_eq!(row.counts(), [(0, 0, 0); 5]);
        for (number, guard) in (0..).zip(drained) {
            assert_eq!(guard.number, number);
            clean(guard).unwrap();
        }
        row.expect_cleaned_once();
    }

    #[test]
    fn dropped_drain_leaves_the_rest() {
        let (row, mut vec) = many::<S>(5, 1);
        for guard in vec.drain().take(2) {
            clean(guard).unwrap();
        }
        assert_eq!(vec.iter().map(|guard| guard.number).collect::<Vec<_>>(), [2, 3, 4]);
        block_on(vec.async_drop()).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn empty_vector_is_cleaned_at_once() {
        let reports = Reports::collect();
        let mut vec = S::in_place(S::empty());
        assert_eq!(run(vec.async_drop()), (1, Ok(())));
        drop(vec);
        reports.expect_none();
    }

    #[test]
    fn cleans_the_rest_and_returns_errors_as_found() {
        let (row, mut vec) = filled::<S>(MIXED);
        let errors = block_on(vec.async_drop()).unwrap_err();
        assert_eq!(errors.into_iter().collect::<Vec<_>>(), [3, 5, 1]);
        row.expect_cleaned_once();
        let (_row, mut vec) = filled::<S>(&[(0, Ending::Err); 3]);
        let errors = block_on(vec.async_drop()).unwrap_err();
        assert_eq!(errors.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn cleans_the_rest_and_resumes_the_first_panic() {
        let reports = Reports::collect();
        let (row, mut vec) = filled::<S>(&[(0, Ending::Panic), (0, Ending::Panic), (2, Ending::Err)]);
        assert_eq!(panic_of(|| block_on(vec.async_drop())), "0 went wrong");
        assert!(vec.is_dropped());
        row.expect_cleaned_once();
        assert_eq!(
            reports.take(),
            [
                "cleanup of Numbered failed as well: panicked: 1 went wrong",
                "cleanup of Numbered failed as well: 2",
            ]
        );
    }

    #[test]
    fn cancelled_anywhere_the_next_call_finishes_the_rest() {
        for limit in 1..=6 {
            let start = || {
                let (row, mut vec) = filled::<S>(MIXED);
                vec.set_concurrency(limit);
                (row, vec)
            };
            let total = run(start().1.async_drop()).0;
            for polls in 0..total {
                let reports = Reports::collect();
                let (row, mut vec) = start();
                cancel_after(polls, vec.async_drop());
                assert_eq!(vec.is_empty(), polls > 0);
                let before = row.counts();
                let errors = block_on(vec.async_drop()).unwrap_err();
                row.expect_only_the_rest_cleaned(&before);
                drop(vec);
                assert_eq!(errors.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([1, 3, 5]));
                reports.expect_none();
            }
            assert!(total > 3);
        }
    }

    #[test]
    fn vector_takes_guards_after_a_cancelled_cleanup() {
        let (mut row, mut vec) = many::<S>(3, 5);
        cancel_after(1, vec.async_drop());
        assert!(vec.is_empty() && vec.pop().is_none() && vec.drain().next().is_none());
        vec.push(S::guard(row.value(1, Ending::Ok)));
        assert_eq!(vec.len(), 1);
        let before = row.counts();
        block_on(vec.async_drop()).unwrap();
        row.expect_only_the_rest_cleaned(&before);
    }

    #[test]
    fn errors_without_next_call_go_to_the_hook() {
        let reports = Reports::collect();
        let (_row, mut vec) = filled::<S>(&[(0, Ending::Err), (9, Ending::Ok)]);
        cancel_after(1, vec.async_drop());
        drop(vec);
        let texts = reports.take();
        assert!(texts[0].starts_with("async_drop on AsyncDropVec<Numbered"), "{texts:?}");
        assert!(texts.contains(&"cleanup of Numbered failed as well: 0".to_owned()), "{texts:?}");
    }

    #[test]
    fn limit_is_reached_and_never_exceeded() {
        for limit in 1..=6 {
            let (row, mut vec) = many::<S>(12, 3);
            assert_eq!(vec.set_concurrency(limit).len(), 12);
            block_on(vec.async_drop()).unwrap();
            row.expect_cleaned_once();
            assert_eq!(row.concurrency.most(), limit);
        }
    }

    #[test]
    fn limit_of_zero_panics_with_type_and_remedy() {
        let (_row, mut vec) = many::<S>(1, 0);
        let text = panic_of(|| vec.set_concurrency(0).len());
        let beginning = "set_concurrency(0) on AsyncDropVec<Numbered";
        assert!(text.starts_with(beginning) && text.contains("at least 1"), "{text}");
        block_on(vec.async_drop()).unwrap();
    }

    #[test]
    fn nested_vectors_do_not_block_each_other() {
        let (mut row, mut outer) = (Row::default(), AsyncDropVec::new());
        outer.set_concurrency(1);
        for _ in 0..4 {
            let mut inner = S::in_place(S::empty());
            inner.set_concurrency(1);
            inner.extend((0..4).map(|_| S::guard(row.value(2, Ending::Ok))));
            outer.push(inner);
        }
        block_on(outer.async_drop()).unwrap();
        row.expect_cleaned_once();
        assert_eq!(row.concurrency.most(), 1);
    }

    #[test]
    fn cancelled_plain_vec_keeps_rest_and_reports_errors() {
        let total = run(plain::<S>(MIXED).1.async_drop()).0;
        assert!(total > 3);
        for polls in 0..total {
            let reports = Reports::collect();
            let (row, mut vec) = plain::<S>(MIXED);
            cancel_after(polls, vec.async_drop());
            let before = row.counts();
            let rest = (0..6).filter(|number| before[*number as usize].1 == 0);
            assert!(vec.iter().map(|guard| guard.number).eq(rest));
            let found = [3, 5, 1].into_iter().filter(|failing| before[*failing].1 == 1);
            let texts = found.map(|failing| format!("cleanup of Numbered failed as well: {failing}"));
            assert_eq!(reports.take(), texts.collect::<Vec<_>>());
            let result = block_on(vec.async_drop());
            row.expect_only_the_rest_cleaned(&before);
            let errors: BTreeSet<_> = result.err().into_iter().flatten().collect();
            let missing = [1, 3, 5].into_iter().filter(|failing| before[*failing as usize].1 == 0);
            assert_eq!(errors, missing.collect());
            reports.expect_none();
        }
    }

    #[test]
    fn plain_vec_cleans_the_rest_after_a_panic() {
        let (row, mut vec) = plain::<S>(&[(0, Ending::Panic), (3, Ending::Ok)]);
        assert_eq!(panic_of(|| block_on(vec.async_drop())), "0 went wrong");
        row.expect_cleaned_once();
    }
}

#[test]
fn used_after_cleanup_panics_with_type_and_site() {
    let line = line!() + 1;
    let mut vec = AsyncDropVec::<Numbered>::new();
    block_on(vec.async_drop()).unwrap();
    let text = panic_of(|| vec.len());
    let beginning =
        format!("used AsyncDropVec<Numbered> after its cleanup{}", created_at(file!(), line));
    assert!(text.starts_with(&beginning), "{text}");
}

#[test]
fn forgotten_vector_panics_with_type_and_site() {
    let line = line!() + 1;
    let vec = AsyncDropVec::<Numbered, Live>::live();
    let text = panic_of(|| drop(vec));
    let beginning = "Forgot to call async_drop on AsyncDropVec<Numbered, Live>";
    assert!(text.starts_with(&format!("{beginning}{}", created_at(file!(), line))), "{text}");
}

#[test]
fn live_vector_gives_its_proof_beside_the_errors() {
    let mut row = Row::default();
    let mut vec = AsyncDropVec::live();
    vec.push(AsyncDropGuard::live(row.value(1, Ending::Err)));
    let outcome = block_on(vec.async_drop());
    drop(outcome.proof);
    assert_eq!(outcome.result.unwrap_err().into_first(), 0);
}

/// The cleanup of the first of two values waits for the cleanup of the second.
struct Linked(Option<tokio::sync::oneshot::Receiver<()>>, Option<tokio::sync::oneshot::Sender<()>>);

#[async_trait]
impl AsyncDrop for Linked {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        if let Some(other) = &mut self.0 {
            other.await.unwrap();
        }
        if let Some(other) = self.1.take() {
            other.send(()).unwrap();
        }
        Ok(())
    }
}

#[test]
fn guard_that_waits_for_another_needs_room() {
    let (send, receive) = tokio::sync::oneshot::channel();
    let mut vec = AsyncDropVec::<Linked>::new();
    vec.push(AsyncDropGuard::new(Linked(Some(receive), None)));
    vec.push(AsyncDropGuard::new(Linked(None, Some(send))));
    vec.set_concurrency(1);
    cancel_after(10, vec.async_drop());
    vec.set_concurrency(2);
    block_on(vec.async_drop()).unwrap();
}

#[test]
fn scoped_guard_keeps_its_brand_through_a_vector() {
    let mut row = Row::default();
    let guard = AsyncDropGuard::live(row.value(2, Ending::Ok));
    block_on(scope(guard, async |guard| {
        let mut vec = AsyncDropVec::live();
        vec.push(guard);
        let guard = vec.pop().unwrap();
        vec.async_drop().await.result.unwrap();
        let proof: Proof<'_, Numbered> = guard.async_drop().await.proof;
        (proof, ())
    }));
    row.expect_cleaned_once();
}
