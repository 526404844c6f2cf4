//! `AsyncDropResult`: a guard or an error.

use std::sync::Arc;

use crate::numbered::{Numbered, Row, Tested, clean};
use crate::support::{
    Ending, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run,
};
use livedrop::collections::{AsyncDropResult, AsyncDropStack};
use livedrop::{AsyncDrop, AsyncDropGuard, Checked, Live};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(AsyncDropResult<Numbered, String>: Send, Sync);
assert_impl_all!(AsyncDropResult<Numbered, String, Live>: Send, Sync);
assert_not_impl_any!(AsyncDropResult<Numbered, String>: Clone, Copy);

type Inner<S> = AsyncDropResult<Numbered, String, S>;

fn failed<S: Tested + livedrop::state::Cleanable<Inner<S>>>() -> AsyncDropGuard<Inner<S>, S> {
    AsyncDropResult::new(Err("refused".to_owned()))
}

in_both_states! {
    #[test]
    fn ok_shows_its_value() {
        let mut row = Row::default();
        let guard = S::guard(row.value(0, Ending::Ok));
        let mut result: AsyncDropGuard<Inner<S>, S> = AsyncDropResult::new(Ok(guard));
        assert_eq!(result.ok().unwrap().number, 0);
        result.ok_mut().unwrap().number = 5;
        assert_eq!(result.as_inner().unwrap().number, 5);
        assert!(result.err().is_none());
        assert!(format!("{result:?}").starts_with("Ok(Numbered { number: 5"));
        clean(result).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn err_shows_its_error() {
        let mut result = failed::<S>();
        assert_eq!(result.err().unwrap(), "refused");
        assert!(result.ok().is_none() && result.ok_mut().is_none());
        assert_eq!(result.as_inner().unwrap_err(), "refused");
        assert_eq!(format!("{result:?}"), "Err(\"refused\")");
        clean(result).unwrap();
    }

    #[test]
    fn cleanup_is_the_inner_guards() {
        for ending in [Ending::Ok, Ending::Err] {
            let mut row = Row::default();
            let guard = S::guard(row.value(2, ending));
            let result: AsyncDropGuard<Inner<S>, S> = AsyncDropResult::new(Ok(guard));
            assert_eq!(clean(result), if ending == Ending::Err { Err(0) } else { Ok(()) });
            row.expect_cleaned_once();
        }
    }

    #[test]
    fn panicking_cleanup_propagates_and_ends_the_inner_guard() {
        let (reports, mut row) = (Reports::collect(), Row::default());
        let guard = S::guard(row.value(2, Ending::Panic));
        let result: AsyncDropGuard<Inner<S>, S> = AsyncDropResult::new(Ok(guard));
        assert_eq!(panic_of(|| clean(result)), "0 went wrong");
        row.expect_cleaned_once();
        reports.expect_none();
    }

    #[test]
    fn cleanup_of_an_err_does_nothing() {
        let reports = Reports::collect();
        let mut result = S::in_place(failed::<S>());
        assert_eq!(run(result.async_drop()), (1, Ok(())));
        reports.expect_none();
    }

    #[test]
    fn forgotten_err_panics_as_any_guard() {
        let result = failed::<S>();
        let text = panic_of(|| drop(result));
        assert!(text.starts_with("Forgot to call async_drop on AsyncDropResult<"), "{text}");
    }

    #[test]
    fn into_inner_gives_the_guard_with_its_cleanup() {
        let mut row = Row::default();
        let guard = S::guard(row.value(2, Ending::Ok));
        let result: AsyncDropGuard<Inner<S>, S> = AsyncDropResult::new(Ok(guard));
        let guard = AsyncDropResult::into_inner(result).unwrap();
        assert_eq!(row.counts(), [(0, 0, 0)]);
        clean(guard).unwrap();
        row.expect_cleaned_once();
    }

    #[test]
    fn into_inner_gives_the_error_without_a_cleanup() {
        let reports = Reports::collect();
        assert_eq!(AsyncDropResult::into_inner(failed::<S>()).unwrap_err(), "refused");
        reports.expect_none();
    }

    #[test]
    fn cancelled_anywhere_the_next_call_finishes() {
        for polls in 0..4 {
            let (reports, mut row) = (Reports::collect(), Row::default());
            let guard = S::guard(row.value(3, Ending::Err));
            let result: AsyncDropGuard<Inner<S>, S> = AsyncDropResult::new(Ok(guard));
            let mut result = S::in_place(result);
            cancel_after(polls, result.async_drop());
            assert_eq!(result.ok().unwrap().number, 0);
            let before = row.counts();
            assert_eq!(block_on(result.async_drop()), Err(0));
            row.expect_only_the_rest_cleaned(&before);
            reports.expect_none();
        }
    }

    #[test]
    fn cleanup_is_send() {
        fn send<T: Send>(value: T) -> T {
            value
        }
        block_on(send(S::in_place(failed::<S>()).async_drop())).unwrap();
    }
}

#[test]
fn outer_guard_has_the_state_of_the_inner() {
    let mut row = Row::default();
    let checked: Result<_, ()> = Ok(AsyncDropGuard::new(row.value(0, Ending::Ok)));
    let live: Result<_, ()> = Ok(AsyncDropGuard::live(row.value(0, Ending::Ok)));
    let mut checked = AsyncDropResult::new(checked);
    block_on(checked.async_drop()).unwrap();
    let outcome = block_on(AsyncDropResult::new(live).async_drop());
    drop(outcome.proof);
    row.expect_cleaned_once();
}

#[test]
fn used_after_cleanup_panics_with_type_and_site() {
    let line = line!() + 1;
    let mut result: AsyncDropGuard<Inner<Checked>> = AsyncDropResult::new(Err(String::new()));
    block_on(result.async_drop()).unwrap();
    let site = created_at(file!(), line);
    let text = panic_of(|| result.ok().is_some());
    let beginning = format!("used AsyncDropResult<Numbered, String> after its cleanup{site}");
    assert!(text.starts_with(&beginning), "{text}");
    let text = panic_of(|| AsyncDropResult::into_inner(result).is_ok());
    let beginning = "tried to take out AsyncDropResult<Numbered, String> after its cleanup";
    assert!(text.starts_with(&format!("{beginning}{site}")), "{text}");
}

#[test]
fn use_after_inner_cleanup_panics_with_the_type() {
    let mut row = Row::default();
    let guard = AsyncDropGuard::new(row.value(1, Ending::Ok));
    let mut result: AsyncDropGuard<Inner<Checked>> = AsyncDropResult::new(Ok(guard));
    block_on(AsyncDrop::async_drop_impl(&mut *result)).unwrap();
    let expected = "used AsyncDropResult<Numbered, String> after its cleanup";
    assert_eq!(panic_of(|| result.ok().is_some()), expected);
    assert_eq!(panic_of(|| result.ok_mut().is_some()), expected);
    assert_eq!(format!("{result:?}"), "<Numbered: cleaned up>");
    block_on(result.async_drop()).unwrap();
    row.expect_cleaned_once();
}

#[test]
fn scoped_guard_goes_in_and_out_branded() {
    let log = Arc::<Log>::default();
    block_on(livedrop::scope(AsyncDropGuard::live(Resource::plain(&log)), async |guard| {
        let result = AsyncDropResult::new(Ok::<_, &str>(guard));
        assert_eq!(result.ok().map(Resource::touch), Some(3));
        let Ok(guard) = AsyncDropResult::into_inner(result) else { unreachable!("it was put in") };
        (guard.async_drop().await.proof, ())
    }));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn an_adopted_guard_is_left_to_its_reaper() {
    let log = Arc::<Log>::default();
    block_on(livedrop::testing::leaks(async |reaper| {
        let guard = reaper.adopt(AsyncDropGuard::new(Resource::plain(&log)));
        drop(AsyncDropResult::new(Ok::<_, &str>(guard)));
    }));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn forgotten_adopted_err_is_not_reported() {
    let reports = Reports::collect();
    drop(AsyncDropResult::<Resource, _, livedrop::Adopted>::new(Err("refused")));
    reports.expect_none();
}

#[test]
fn the_adopted_guard_inside_is_shown_under_its_stack() {
    let (log, mut reaper) = (Arc::<Log>::default(), livedrop::Reaper::new());
    let mut stack = AsyncDropStack::adopted(&reaper);
    let guard = reaper.adopt(AsyncDropGuard::new(Resource::plain(&log)));
    stack.push(AsyncDropResult::new(Ok::<_, &str>(guard)));
    let pending = reaper.pending();
    assert_eq!((pending.len(), pending[1].depth), (2, 1));
    drop(stack);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn into_inner_panics_after_cleanup_inside_the_guard() {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let inner = AsyncDropGuard::new(Resource::new(&log, 1, Ending::Ok));
    let mut guard: AsyncDropGuard<AsyncDropResult<_, String>> = AsyncDropResult::new(Ok(inner));
    let inner_value: &mut AsyncDropResult<_, _> = &mut guard;
    block_on(inner_value.async_drop_impl()).unwrap();
    let text = panic_of(|| AsyncDropResult::into_inner(guard));
    assert!(
        text.starts_with("used AsyncDropResult<") && text.contains("after its cleanup"),
        "{text}"
    );
    assert_eq!(log.counts(), (1, 1, 1));
    reports.expect_none();
}
