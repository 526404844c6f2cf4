//! `AsyncDropArc` and `AsyncDropWeak`: many handles share one cleanup.

use std::borrow::Borrow;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::MutexGuard;

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run,
};
use allocation_counter::measure;
use livedrop::state::{Cleanable, Scoped};
use livedrop::sync::{AsyncDropArc, AsyncDropWeak};
use livedrop::{AsyncDrop, AsyncDropGuard, Checked, Live, Reaper, scope, with_async_drop};
use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert};

const WAITS: usize = 3;
const POLLS_OF_A_CLEANUP: usize = WAITS + 1;
const RELEASED: (usize, Result<(), Failed>) = (1, Ok(()));

fn log() -> Arc<Log> {
    Arc::default()
}

/// Tests for both states: `guard(log, ending)` guards a value, `handle` shares it, and `clean` awaits
/// the cleanup of a guard.
macro_rules! in_both_states {
    ($($(#[$meta:meta])* fn $test:ident() $body:block)+) => {
        mod checked {
            use super::*;

            type S = Checked;
            const FORGOT: &str = "Forgot to call async_drop on AsyncDropArc<Resource>";

            fn guard(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource, S> {
                AsyncDropGuard::new(Resource::new(log, WAITS, ending))
            }

            async fn clean<T: AsyncDrop>(mut guard: AsyncDropGuard<T, S>) -> Result<(), T::Error> {
                guard.async_drop().await
            }

            in_both_states!(@tests $($(#[$meta])* fn $test() $body)+);
        }

        mod live {
            use super::*;

            type S = Live;
            const FORGOT: &str = "Forgot to call async_drop on AsyncDropArc<Resource, Live>";

            fn guard(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource, S> {
                AsyncDropGuard::live(Resource::new(log, WAITS, ending))
            }

            async fn clean<T: AsyncDrop>(guard: AsyncDropGuard<T, S>) -> Result<(), T::Error> {
                guard.async_drop().await.result
            }

            in_both_states!(@tests $($(#[$meta])* fn $test() $body)+);
        }
    };
    (@tests $($(#[$meta:meta])* fn $test:ident() $body:block)+) => {
        fn handle(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<AsyncDropArc<Resource, S>, S> {
            AsyncDropArc::new(guard(log, ending))
        }

        $(#[test] $(#[$meta])* fn $test() $body)+
    };
}

in_both_states! {
    fn the_only_handle_cleans_up() {
        let (log, reports) = (log(), Reports::collect());
        let only = handle(&log, Ending::Ok);
        assert_eq!(run(clean(only)), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn last_handle_cleans_up_others_are_released() {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let (log, reports) = (log(), Reports::collect());
            let first = handle(&log, Ending::Ok);
            let second = AsyncDropArc::clone(&first);
            let third = AsyncDropArc::clone(&second);
            let mut handles = [Some(first), Some(second), Some(third)];
            let mut take = |position: usize| handles[order[position]].take().unwrap();
            assert_eq!(run(clean(take(0))), RELEASED);
            assert_eq!(run(clean(take(1))), RELEASED);
            assert_eq!(log.counts(), (0, 0, 0));
            let last = take(2);
            assert_eq!(last.touch(), WAITS);
            assert_eq!(run(clean(last)), (POLLS_OF_A_CLEANUP, Ok(())));
            assert_eq!(log.counts(), (1, 1, 1));
            reports.expect_none();
        }
    }

    fn a_failing_cleanup_reaches_the_last_handle_only() {
        let (log, reports) = (log(), Reports::collect());
        let first = handle(&log, Ending::Err);
        let second = AsyncDropArc::clone(&first);
        assert_eq!(run(clean(first)), RELEASED);
        assert_eq!(run(clean(second)), (POLLS_OF_A_CLEANUP, Err(Failed)));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn panicking_cleanup_propagates_and_has_ended() {
        let (log, reports) = (log(), Reports::collect());
        let first = handle(&log, Ending::Panic);
        let second = AsyncDropArc::clone(&first);
        assert_eq!(run(clean(first)), RELEASED);
        assert_eq!(panic_of(|| run(clean(second))), "cleanup went wrong");
        assert_eq!(log.counts(), (1, 0, 1));
        reports.expect_none();
    }

    /// An owner that cleans up in place can call the cleanup of a `Live` handle again, too.
    fn cancelled_last_cleanup_keeps_the_value_and_restarts() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            for with_weak in [false, true] {
                let (log, reports) = (log(), Reports::collect());
                let last = handle(&log, Ending::Err);
                let weak = with_weak.then(|| AsyncDropArc::downgrade(&last));
                let mut owner = AsyncDropGuard::new(Some(last));
                cancel_after(polls, owner.async_drop());
                assert_eq!(log.counts(), (usize::from(polls > 0), 0, 0));
                let count = AsyncDropArc::strong_count(owner.as_ref().unwrap());
                assert_eq!(count, 1);
                assert_eq!(run(owner.async_drop()), (POLLS_OF_A_CLEANUP, Err(Failed)));
                assert_eq!(log.counts(), (1 + usize::from(polls > 0), 1, 1));
                assert!(weak.is_none_or(|weak| weak.upgrade().is_none()));
                drop(owner);
                reports.expect_none();
            }
        }
    }

    fn a_cleanup_cancelled_again_and_again_still_ends() {
        let (log, reports) = (log(), Reports::collect());
        let mut owner = AsyncDropGuard::new(Some(handle(&log, Ending::Ok)));
        for polls in 0..POLLS_OF_A_CLEANUP {
            cancel_after(polls, owner.async_drop());
        }
        assert_eq!(run(owner.async_drop()), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (POLLS_OF_A_CLEANUP, 1, 1));
        reports.expect_none();
    }

    fn cleanup_that_panics_on_its_second_call_ends() {
        let (log, reports) = (log(), Reports::collect());
        let mut owner = AsyncDropGuard::new(Some(handle(&log, Ending::Panic)));
        cancel_after(2, owner.async_drop());
        assert_eq!(panic_of(|| run(owner.async_drop())), "cleanup went wrong");
        assert_eq!(log.counts(), (2, 0, 1));
        reports.expect_none();
    }

    fn unpolled_cleanup_releases_no_handle() {
        let (log, reports) = (log(), Reports::collect());
        let first = handle(&log, Ending::Ok);
        let second = AsyncDropArc::clone(&first);
        let mut owner = AsyncDropGuard::new(Some(first));
        cancel_after(0, owner.async_drop());
        assert_eq!(AsyncDropArc::strong_count(&second), 2);
        assert_eq!(run(clean(second)), RELEASED);
        assert_eq!(owner.as_ref().unwrap().touch(), WAITS);
        assert_eq!(run(owner.async_drop()), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn upgrade_fails_from_when_the_last_cleanup_begins() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let (log, reports) = (log(), Reports::collect());
            let last = handle(&log, Ending::Ok);
            let weak = AsyncDropArc::downgrade(&last);
            let mut owner = AsyncDropGuard::new(Some(last));
            cancel_after(polls, owner.async_drop());
            if let Some(upgraded) = weak.upgrade() {
                assert_eq!(polls, 0);
                assert_eq!(run(clean(upgraded)), RELEASED);
            } else {
                assert!(polls > 0);
                assert_eq!(weak.strong_count(), 0);
                assert_eq!(AsyncDropArc::weak_count(owner.as_ref().unwrap()), 0);
            }
            run(owner.async_drop()).1.unwrap();
            assert_eq!(weak.strong_count(), 0);
            reports.expect_none();
        }
    }

    fn handles_give_one_value() {
        let log = log();
        let first = handle(&log, Ending::Ok);
        let second = AsyncDropArc::clone(&first);
        let other = handle(&log, Ending::Ok);
        assert!(AsyncDropArc::ptr_eq(&first, &second));
        assert!(!AsyncDropArc::ptr_eq(&first, &other));
        assert_eq!(AsyncDropArc::as_ptr(&first), AsyncDropArc::as_ptr(&second));
        assert_ne!(AsyncDropArc::as_ptr(&first), AsyncDropArc::as_ptr(&other));
        let arc: &AsyncDropArc<Resource, S> = &first;
        let (by_deref, by_as_ref): (&Resource, &Resource) = (arc, arc.as_ref());
        let by_borrow: &Resource = arc.borrow();
        for address in [by_deref, by_as_ref, by_borrow] {
            assert_eq!(std::ptr::from_ref(address), AsyncDropArc::as_ptr(&second));
        }
        for handle in [first, second, other] {
            block_on(clean(handle)).unwrap();
        }
    }

    fn counts_handles_and_weak_references() {
        let log = log();
        let first = handle(&log, Ending::Ok);
        let weak = AsyncDropArc::downgrade(&first);
        let other_weak = weak.clone();
        assert_eq!((AsyncDropArc::strong_count(&first), AsyncDropArc::weak_count(&first)), (1, 2));
        let second = weak.upgrade().unwrap();
        drop(other_weak);
        assert_eq!((AsyncDropArc::strong_count(&first), AsyncDropArc::weak_count(&first)), (2, 1));
        assert_eq!(weak.strong_count(), 2);
        block_on(clean(first)).unwrap();
        assert_eq!(AsyncDropArc::strong_count(&second), 1);
        block_on(clean(second)).unwrap();
        assert_eq!(weak.strong_count(), 0);
    }

    fn a_handle_shows_the_value() {
        let log = log();
        let only = handle(&log, Ending::Ok);
        let weak = AsyncDropArc::downgrade(&only);
        assert_eq!(format!("{only:?} {weak:?}"), "a secret (AsyncDropWeak)");
        let mut owner = AsyncDropGuard::new(Some(only));
        cancel_after(1, owner.async_drop());
        assert_eq!(format!("{owner:?}"), "Some(<Resource: cleanup has begun>)");
        block_on(owner.async_drop()).unwrap();
    }

    fn the_only_handle_gives_the_value_back() {
        let (log, reports) = (log(), Reports::collect());
        let only = handle(&log, Ending::Ok);
        let weak = AsyncDropArc::downgrade(&only);
        let guard: AsyncDropGuard<Resource, S> = AsyncDropArc::into_inner(only).unwrap();
        assert!(weak.upgrade().is_none());
        assert_eq!(guard.touch(), WAITS);
        assert_eq!(log.counts(), (0, 0, 0));
        assert_eq!(run(clean(guard)), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn into_inner_returns_a_shared_handle_unchanged() {
        let (log, reports) = (log(), Reports::collect());
        let first = handle(&log, Ending::Ok);
        let second = AsyncDropArc::clone(&first);
        let first = AsyncDropArc::into_inner(first).unwrap_err();
        let second = AsyncDropArc::into_inner(second).unwrap_err();
        assert!(AsyncDropArc::ptr_eq(&first, &second));
        assert_eq!(AsyncDropArc::strong_count(&first), 2);
        assert_eq!(run(clean(first)), RELEASED);
        let guard = AsyncDropArc::into_inner(second).unwrap();
        assert_eq!(run(clean(guard)), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn returned_handle_keeps_its_own_creation_site() {
        let log = log();
        let first = handle(&log, Ending::Ok);
        let line = line!() + 1;
        let second = AsyncDropArc::clone(&first);
        let second = AsyncDropArc::into_inner(second).unwrap_err();
        let reports = Reports::collect();
        drop(second);
        let texts = reports.take();
        assert!(texts[0].contains(&created_at(file!(), line)), "{texts:?}");
        block_on(clean(first)).unwrap();
    }

    fn a_cancelled_last_handle_gives_the_value_back() {
        for polls in 1..POLLS_OF_A_CLEANUP {
            let (log, reports) = (log(), Reports::collect());
            let mut owner = AsyncDropGuard::new(Some(handle(&log, Ending::Ok)));
            cancel_after(polls, owner.async_drop());
            let last = owner.take().unwrap();
            let guard = AsyncDropArc::into_inner(last).unwrap();
            assert_eq!(guard.touch(), WAITS);
            assert_eq!(run(clean(guard)), (POLLS_OF_A_CLEANUP, Ok(())));
            assert_eq!(log.counts(), (2, 1, 1));
            block_on(owner.async_drop()).unwrap();
            reports.expect_none();
        }
    }

    fn a_value_taken_out_can_be_shared_again() {
        let (log, reports) = (log(), Reports::collect());
        let only = handle(&log, Ending::Ok);
        let stale = AsyncDropArc::downgrade(&only);
        let again = AsyncDropArc::new(AsyncDropArc::into_inner(only).unwrap());
        assert!(stale.upgrade().is_none());
        assert_eq!(run(clean(again)), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn upgraded_handle_needs_its_cleanup() {
        let (log, reports) = (log(), Reports::collect());
        let first = handle(&log, Ending::Ok);
        let weak = AsyncDropArc::downgrade(&first);
        let second = weak.upgrade().unwrap();
        assert_eq!(run(clean(first)), RELEASED);
        assert_eq!(run(clean(second)), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn weak_reference_keeps_no_value_and_no_obligation() {
        let (log, reports) = (log(), Reports::collect());
        let only = handle(&log, Ending::Ok);
        let (weak, dropped) = (AsyncDropArc::downgrade(&only), AsyncDropArc::downgrade(&only));
        drop(dropped);
        block_on(clean(only)).unwrap();
        assert_eq!(log.counts(), (1, 1, 1));
        drop(weak);
        reports.expect_none();
    }

    fn weak_references_compare_by_their_value() {
        let log = log();
        let (only, other) = (handle(&log, Ending::Ok), handle(&log, Ending::Ok));
        let weak = AsyncDropArc::downgrade(&only);
        assert!(weak.ptr_eq(&weak.clone()));
        assert!(weak.ptr_eq(&AsyncDropArc::downgrade(&only)));
        assert!(!weak.ptr_eq(&AsyncDropArc::downgrade(&other)));
        let nothing = AsyncDropWeak::<Resource, S>::new();
        assert!(nothing.upgrade().is_none());
        assert_eq!(nothing.strong_count(), 0);
        assert!(nothing.ptr_eq(&AsyncDropWeak::default()));
        for handle in [only, other] {
            block_on(clean(handle)).unwrap();
        }
    }

    fn forgotten_handle_is_reported_and_released() {
        let log = log();
        let first = handle(&log, Ending::Ok);
        let line = line!() + 1;
        let second = AsyncDropArc::clone(&first);
        let text = panic_of(|| drop(second));
        assert!(text.starts_with(FORGOT), "{text}");
        assert!(text.contains(&created_at(file!(), line)), "{text}");
        assert_eq!(run(clean(first)), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
    }

    fn upgraded_handle_names_the_place_of_the_upgrade() {
        let log = log();
        let first = handle(&log, Ending::Ok);
        let weak = AsyncDropArc::downgrade(&first);
        let line = line!() + 1;
        let second = weak.upgrade();
        let text = panic_of(|| drop(second));
        assert!(text.contains(&created_at(file!(), line)), "{text}");
        block_on(clean(first)).unwrap();
    }

    fn first_handle_names_the_place_of_its_construction() {
        let log = log();
        let guard = guard(&log, Ending::Ok);
        let line = line!() + 1;
        let only = AsyncDropArc::new(guard);
        let reports = Reports::collect();
        drop(only);
        assert!(reports.take()[0].contains(&created_at(file!(), line)));
    }

    fn forgotten_last_handle_drops_the_value_while_unwinding() {
        let log = log();
        let only = handle(&log, Ending::Ok);
        let reports = Reports::collect();
        drop(only);
        let texts = reports.take();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(texts[0].starts_with(FORGOT));
        assert!(texts[1].starts_with("Forgot to call async_drop on Resource"));
        assert_eq!(log.counts(), (0, 0, 1));
        // With the default hook, this is one panic, and one line on the standard error.
        drop(reports);
        let only = handle(&log, Ending::Ok);
        let text = panic_of(|| drop(only));
        assert!(text.starts_with(FORGOT), "{text}");
        assert_eq!(log.counts(), (0, 0, 2));
    }

    fn handle_is_cleaned_up_after_its_body() {
        let (log, reports) = (log(), Reports::collect());
        let first = handle(&log, Ending::Err);
        let second = AsyncDropArc::clone(&first);
        let body = async |handle: &mut AsyncDropArc<Resource, S>| Ok::<_, Failed>(handle.touch());
        assert_eq!(block_on(with_async_drop(first, body)), Ok(WAITS));
        assert_eq!(log.counts(), (0, 0, 0));
        assert_eq!(block_on(with_async_drop(second, body)), Err(Failed));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn a_handle_of_a_handle_cleans_up_once() {
        let (log, reports) = (log(), Reports::collect());
        let first = AsyncDropArc::new(handle(&log, Ending::Ok));
        let second = AsyncDropArc::clone(&first);
        assert_eq!(second.touch(), WAITS);
        assert_eq!(run(clean(second)), RELEASED);
        assert_eq!(run(clean(first)), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn cleaning_through_the_boxed_method_is_the_same() {
        let (log, reports) = (log(), Reports::collect());
        let first = handle(&log, Ending::Ok);
        let mut second = AsyncDropArc::clone(&first);
        assert_eq!(run(AsyncDrop::async_drop_impl(&mut *second)), RELEASED);
        assert_eq!((AsyncDropArc::strong_count(&first), AsyncDropArc::strong_count(&second)), (1, 0));
        // It was released, so it is equal to no handle.
        assert!(!AsyncDropArc::ptr_eq(&first, &second));
        let second = AsyncDropArc::into_inner(second).unwrap_err();
        assert_eq!(run(clean(second)), RELEASED);
        let mut boxed: Box<dyn AsyncDrop<Error = Failed> + Send> =
            Box::new(AsyncDropGuard::new(Some(first)));
        assert_eq!(run(boxed.async_drop_impl()), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn last_cleanup_allocates_once_more_than_the_value() {
        let (bare_log, log) = (log(), log());
        let bare = guard(&bare_log, Ending::Ok);
        let last = handle(&log, Ending::Ok);
        let by_the_value = measure(|| run(clean(bare)).1.unwrap()).count_total;
        let by_the_handle = measure(|| run(clean(last)).1.unwrap()).count_total;
        assert_eq!(by_the_handle, by_the_value + 1);
    }

    fn cloning_and_releasing_allocate_nothing() {
        let log = log();
        let first = handle(&log, Ending::Ok);
        let weak = AsyncDropArc::downgrade(&first);
        let counted = measure(|| {
            let second = AsyncDropArc::clone(&first);
            assert_eq!(run(clean(second)), RELEASED);
            let upgraded = weak.upgrade().unwrap();
            let upgraded = AsyncDropArc::into_inner(upgraded).unwrap_err();
            assert_eq!(run(clean(upgraded)), RELEASED);
        });
        assert_eq!(counted.count_total, 0);
        block_on(clean(first)).unwrap();
    }
}

/// Handles after their cleanup. A `Live` handle does not exist then.
mod begun {
    use super::*;

    const CANCELLED: &str =
        "async_drop on AsyncDropArc<Resource, Live> was cancelled before it finished";
    const BEGUN: &str = "a handle of Resource after its cleanup had begun";

    #[test]
    fn use_during_cleanup_panics_and_names_the_remedy() {
        for polls in 1..POLLS_OF_A_CLEANUP {
            let log = log();
            let mut only =
                AsyncDropArc::new(AsyncDropGuard::new(Resource::new(&log, WAITS, Ending::Ok)));
            cancel_after(polls, only.async_drop());
            for (attempt, text) in [
                ("used", panic_of(|| only.touch())),
                ("used", panic_of(|| AsyncDropArc::as_ptr(&only))),
                ("cloned", panic_of(|| AsyncDropArc::clone(&only))),
                ("downgraded", panic_of(|| AsyncDropArc::downgrade(&only))),
            ] {
                assert!(text.starts_with(&format!("{attempt} {BEGUN}")), "{text}");
                assert!(text.contains("call `async_drop` again"), "{text}");
                assert!(text.contains("`AsyncDropArc::into_inner`"), "{text}");
                assert!(!text.contains("secret"), "{text}");
            }
            assert!(!AsyncDropArc::ptr_eq(&only, &only));
            block_on(only.async_drop()).unwrap();
            assert_eq!(log.counts(), (2, 1, 1));
        }
    }

    #[test]
    fn use_after_cleanup_panics_and_names_the_site() {
        let log = log();
        let guard = AsyncDropGuard::new(Resource::plain(&log));
        let line = line!() + 1;
        let mut only = AsyncDropArc::new(guard);
        block_on(only.async_drop()).unwrap();
        let site = created_at(file!(), line);
        for text in [
            panic_of(|| only.touch()),
            panic_of(|| AsyncDropArc::clone(&only)),
            panic_of(|| AsyncDropArc::into_inner(only)),
        ] {
            assert!(text.starts_with("used AsyncDropArc<Resource> after its cleanup"), "{text}");
            assert!(text.contains(&site), "{text}");
        }
    }

    #[test]
    fn second_cleanup_of_a_checked_handle_is_ok() {
        let (log, reports) = (log(), Reports::collect());
        let mut only =
            AsyncDropArc::new(AsyncDropGuard::new(Resource::new(&log, WAITS, Ending::Err)));
        assert_eq!(run(only.async_drop()), (POLLS_OF_A_CLEANUP, Err(Failed)));
        assert!(only.is_dropped());
        assert_eq!(run(only.async_drop()), RELEASED);
        drop(only);
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    #[test]
    fn a_cancelled_live_handle_is_reported_as_cancelled() {
        for polls in 1..POLLS_OF_A_CLEANUP {
            let log = log();
            let only = AsyncDropArc::new(AsyncDropGuard::live(Resource::plain(&log)));
            let text = panic_of(|| cancel_after(polls, only.async_drop()));
            assert!(text.starts_with(CANCELLED), "{text}");
            assert_eq!(log.counts(), (1, 0, 1));
        }
    }

    #[test]
    fn handle_of_a_cleaned_up_guard_cleans_nothing() {
        let (log, reports) = (log(), Reports::collect());
        let mut guard = AsyncDropGuard::new(Resource::plain(&log));
        block_on(guard.async_drop()).unwrap();
        let mut only = AsyncDropArc::new(guard);
        assert!(panic_of(|| only.touch()).starts_with("used Resource after its cleanup"));
        assert_eq!(run(only.async_drop()), RELEASED);
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }
}

/// A handle's guard has the state of the value's guard, also if it is cloned inside another guard.
#[test]
fn clone_has_the_state_of_the_values_guard() {
    let (log, reports) = (log(), Reports::collect());
    let first = AsyncDropArc::new(AsyncDropGuard::live(Resource::plain(&log)));
    let mut first: AsyncDropGuard<_, Checked> = AsyncDropGuard::into_checked(first);
    let second: AsyncDropGuard<AsyncDropArc<Resource, Live>, Live> = AsyncDropArc::clone(&first);
    let third: AsyncDropGuard<AsyncDropArc<Resource, Live>, Live> =
        AsyncDropArc::downgrade(&first).upgrade().unwrap();
    assert_eq!(run(second.async_drop()).1.result, Ok(()));
    assert_eq!(run(third.async_drop()).1.result, Ok(()));
    assert_eq!(run(first.async_drop()), (POLLS_OF_A_CLEANUP, Ok(())));
    assert_eq!(log.counts(), (1, 1, 1));
    reports.expect_none();
}

mod in_scope {
    use super::*;

    #[test]
    fn sharing_and_taking_out_still_gives_the_proof() {
        let (log, reports) = (log(), Reports::collect());
        let guard = AsyncDropGuard::live(Resource::new(&log, WAITS, Ending::Err));
        let result: Result<usize, Failed> = block_on(scope(guard, async |guard| {
            let first = AsyncDropArc::new(guard);
            let second = AsyncDropArc::clone(&first);
            let third = AsyncDropArc::downgrade(&second).upgrade().unwrap();
            let touched = Ok(third.touch());
            assert_eq!(second.async_drop().await.result, Ok(()));
            assert_eq!(third.async_drop().await.result, Ok(()));
            let guard = AsyncDropArc::into_inner(first).unwrap();
            guard.async_drop().await.after(touched)
        }));
        assert_eq!(result, Err(Failed));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    #[test]
    fn handle_may_enter_its_own_scope() {
        let (log, reports) = (log(), Reports::collect());
        let first = AsyncDropArc::new(AsyncDropGuard::live(Resource::plain(&log)));
        block_on(scope(first, async |first| {
            // A clone belongs to no scope: its proof does not end this scope.
            let second: AsyncDropGuard<_, Live> = AsyncDropArc::clone(&first);
            let outcome = second.async_drop().await;
            (first.async_drop().await.proof, outcome.result)
        }))
        .unwrap();
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }
}

mod traits {
    use super::*;
    use std::convert::Infallible;

    struct Plain;
    struct NotSync(#[expect(dead_code, reason = "for its auto traits")] Cell<u8>);
    struct NotSend(#[expect(dead_code, reason = "for its auto traits")] MutexGuard<'static, u8>);

    macro_rules! infallible {
        ($($type:ty),+) => { $(
            #[async_trait::async_trait]
            impl AsyncDrop for $type {
                type Error = Infallible;

                async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
                    Ok(())
                }
            }
        )+ };
    }
    infallible!(Plain, NotSync);

    assert_impl_all!(AsyncDropArc<Plain>: Send, Sync, Unpin);
    assert_impl_all!(AsyncDropArc<Plain, Live>: Send, Sync, Unpin);
    assert_impl_all!(AsyncDropArc<Plain, Live<Scoped<'static>>>: Send, Sync);
    assert_impl_all!(AsyncDropWeak<Plain>: Send, Sync, Unpin, Clone, Default);
    assert_impl_all!(AsyncDropWeak<Plain, Live>: Send, Sync, Unpin, Clone, Default);
    assert_not_impl_any!(AsyncDropArc<NotSync>: Send, Sync);
    assert_not_impl_any!(AsyncDropArc<NotSync, Live>: Send, Sync);
    assert_not_impl_any!(AsyncDropWeak<NotSync>: Send, Sync);
    assert_not_impl_any!(AsyncDropArc<NotSend>: Send, Sync);
    assert_not_impl_any!(AsyncDropArc<NotSend, Live>: Send, Sync);
    assert_not_impl_any!(AsyncDropWeak<NotSend, Live>: Send, Sync);
    assert_not_impl_any!(AsyncDropArc<Plain>: Clone, Copy);
    assert_not_impl_any!(AsyncDropArc<Plain, Live>: Clone, Copy);
    assert_not_impl_any!(AsyncDropGuard<AsyncDropArc<Plain>>: Clone, Copy);
    assert_not_impl_any!(AsyncDropGuard<AsyncDropArc<Plain, Live>, Live>: Clone, Copy);
    const_assert!(size_of::<AsyncDropArc<[u64; 100]>>() == 2 * size_of::<usize>());

    fn is_send<T: Send>(value: T) -> T {
        value
    }

    #[test]
    fn cleanup_of_a_handle_can_move_between_threads() {
        let mut checked = AsyncDropArc::new(AsyncDropGuard::new(Plain));
        block_on(is_send(checked.async_drop())).unwrap();
        let live = AsyncDropArc::new(AsyncDropGuard::live(Plain));
        block_on(is_send(live.async_drop())).result.unwrap();
    }

    #[test]
    fn generic_code_needs_only_the_cleanable_bound() {
        async fn clean_shared<S>(handle: AsyncDropGuard<AsyncDropArc<Plain, S>, S>)
        where
            S: Cleanable<Plain> + Cleanable<AsyncDropArc<Plain, S>>,
            AsyncDropGuard<Plain, S>: Sync,
        {
            AsyncDropGuard::new(Some(handle)).async_drop().await.unwrap();
        }
        block_on(clean_shared(AsyncDropArc::new(AsyncDropGuard::new(Plain))));
        block_on(clean_shared(AsyncDropArc::new(AsyncDropGuard::live(Plain))));
    }
}

#[test]
fn begun_cleanup_of_an_adopted_value_resumes_after_into_inner() {
    for polls in 1..POLLS_OF_A_CLEANUP {
        for is_dropped in [false, true] {
            let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
            let value = AsyncDropGuard::new(Resource::new(&log, WAITS, Ending::Ok));
            let mut last = AsyncDropArc::new(reaper.adopt(value));
            cancel_after(polls, last.async_drop());
            let mut guard = AsyncDropArc::into_inner(last).expect("it is the only handle");
            if is_dropped {
                drop(guard);
            } else {
                block_on(guard.async_drop()).unwrap();
            }
            assert_eq!(block_on(reaper.drain()).cleaned, usize::from(is_dropped));
            assert_eq!(log.counts(), (1, 1, 1));
            block_on(reaper.async_drop()).unwrap();
            reports.expect_none();
        }
    }
}

#[test]
fn into_inner_returns_no_value_that_is_cleaned_up() {
    let log = log();
    let handle = AsyncDropArc::new(AsyncDropGuard::new(Resource::new(&log, 1, Ending::Ok)));
    let mut handle = AsyncDropGuard::into_inner_without_cleanup(handle);
    block_on(handle.async_drop_impl()).unwrap();
    let Err(mut guard) = AsyncDropArc::into_inner(AsyncDropGuard::new(handle)) else {
        panic!("the value is gone");
    };
    block_on(guard.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
}
