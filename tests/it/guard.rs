//! The functions of the guard, state by state.

use std::sync::Arc;

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run,
};
use livedrop::{AsyncDropGuard, Live};

fn checked(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(Resource::new(log, 3, ending))
}

fn live(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource, Live> {
    AsyncDropGuard::live(Resource::new(log, 3, ending))
}

#[test]
fn into_live_keeps_the_obligation_and_creation_site() {
    let log = Arc::<Log>::default();
    let line = line!() + 1;
    let guard = AsyncDropGuard::new(Resource::plain(&log));
    let guard = AsyncDropGuard::into_live(guard).unwrap();
    let text = panic_of(|| drop(guard));
    let site = created_at(file!(), line);
    assert!(text.starts_with(&format!("Forgot to call async_drop on Resource{site}")), "{text}");
}

#[test]
fn into_live_of_a_cleaned_guard_gives_proof() {
    let log = Arc::<Log>::default();
    let mut guard = checked(&log, Ending::Ok);
    block_on(guard.async_drop()).unwrap();
    let proof = AsyncDropGuard::into_live(guard).unwrap_err();
    assert_eq!(format!("{proof:?}"), "<Resource: cleaned up>");
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn into_live_of_a_cancelled_cleanup_begins_again() {
    let log = Arc::<Log>::default();
    let mut guard = checked(&log, Ending::Ok);
    cancel_after(2, guard.async_drop());
    let guard = AsyncDropGuard::into_live(guard).unwrap();
    block_on(guard.async_drop()).result.unwrap();
    assert_eq!(log.counts(), (2, 1, 1));
}

#[test]
fn into_checked_keeps_the_obligation_and_creation_site() {
    let log = Arc::<Log>::default();
    let line = line!() + 1;
    let guard = AsyncDropGuard::live(Resource::plain(&log));
    let guard = AsyncDropGuard::into_checked(guard);
    assert!(!guard.is_dropped());
    let text = panic_of(|| drop(guard));
    let site = created_at(file!(), line);
    assert!(text.starts_with(&format!("Forgot to call async_drop on Resource{site}")), "{text}");
}

/// The same tests for `Checked` and `Live`.
macro_rules! in_state {
    ($state:ident) => {
        mod $state {
            use super::*;

            #[test]
            fn into_inner_without_cleanup_removes_the_obligation() {
                let (log, reports) = (Arc::<Log>::default(), Reports::collect());
                let value =
                    AsyncDropGuard::into_inner_without_cleanup(super::$state(&log, Ending::Ok));
                assert_eq!(log.counts(), (0, 0, 0));
                drop(value);
                assert_eq!(log.counts(), (0, 0, 1));
                reports.expect_none();
            }

            #[test]
            fn map_without_cleanup_guards_the_new_value() {
                let log = Arc::<Log>::default();
                let guard = super::$state(&log, Ending::Ok);
                // All lines of a macro's expansion are the line of its call.
                let line = line!();
                let guard = AsyncDropGuard::map_without_cleanup(guard, Box::new);
                assert_eq!(guard.touch(), 3);
                let text = panic_of(|| drop(guard));
                let site = created_at(file!(), line);
                assert!(
                    text.starts_with(&format!("Forgot to call async_drop on Box<Resource>{site}")),
                    "{text}"
                );
            }

            #[test]
            fn on_err_keeps_the_guard_beside_an_ok() {
                let (log, reports) = (Arc::<Log>::default(), Reports::collect());
                let guard = super::$state(&log, Ending::Ok);
                let (polls, kept) =
                    run(AsyncDropGuard::async_drop_on_err(guard, Ok::<_, Failed>(7)));
                let (guard, value) = kept.unwrap();
                assert_eq!((polls, value, guard.touch()), (1, 7, 3));
                drop(guard);
                assert_eq!(reports.take().len(), 1);
            }

            #[test]
            fn on_err_cleans_up_and_keeps_the_error() {
                let (log, reports) = (Arc::<Log>::default(), Reports::collect());
                let guard = super::$state(&log, Ending::Ok);
                let (polls, result) =
                    run(AsyncDropGuard::async_drop_on_err(guard, Err::<(), _>("no")));
                assert_eq!(polls, 4);
                assert_eq!(result.err(), Some("no"));
                assert_eq!(log.counts(), (1, 1, 1));
                reports.expect_none();
            }

            #[test]
            fn on_err_reports_a_failing_cleanup() {
                let (log, reports) = (Arc::<Log>::default(), Reports::collect());
                let guard = super::$state(&log, Ending::Err);
                let result = block_on(AsyncDropGuard::async_drop_on_err(guard, Err::<(), _>("no")));
                assert_eq!(result.err(), Some("no"));
                reports.expect_one("cleanup of Resource failed as well: Failed");
            }

            #[test]
            fn on_err_reports_a_cancelled_cleanup() {
                for polls in 1..4 {
                    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
                    let guard = super::$state(&log, Ending::Ok);
                    let future = AsyncDropGuard::async_drop_on_err(guard, Err::<(), _>("no"));
                    cancel_after(polls, future);
                    reports.expect_one("async_drop on Resource was cancelled");
                    assert_eq!(log.counts(), (1, 0, 1));
                }
            }

            #[test]
            fn debug_shows_the_value_as_box_does() {
                let (log, _reports) = (Arc::<Log>::default(), Reports::collect());
                assert_eq!(format!("{:?}", super::$state(&log, Ending::Ok)), "a secret");
            }
        }
    };
}

in_state!(checked);
in_state!(live);

#[test]
fn escape_hatches_panic_after_cleanup_and_name_sites() {
    let log = Arc::<Log>::default();
    let clean = || {
        let mut guard = checked(&log, Ending::Ok);
        block_on(guard.async_drop()).unwrap();
        guard
    };
    let beginning = "tried to take out Resource after its cleanup";
    let guard = clean();
    let text = panic_of(|| AsyncDropGuard::into_inner_without_cleanup(guard));
    assert!(text.starts_with(beginning), "{text}");
    let guard = clean();
    let text = panic_of(|| AsyncDropGuard::map_without_cleanup(guard, Box::new));
    assert!(text.starts_with(beginning), "{text}");
    assert_eq!(format!("{:?}", clean()), "<Resource: cleaned up>");
}

#[test]
fn result_of_an_outcome() {
    let log = Arc::<Log>::default();
    let outcome = block_on(live(&log, Ending::Err).async_drop());
    assert_eq!(format!("{outcome:?}"), "Outcome { result: Err(Failed), .. }");
    assert_eq!(outcome.into_result().err(), Some(Failed));
    assert!(block_on(live(&log, Ending::Ok).async_drop()).into_result().is_ok());
}

#[test]
fn outcome_puts_the_body_first() {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let after =
        |ending, body: Result<u8, Failed>| block_on(live(&log, ending).async_drop()).after(body).1;
    assert_eq!(after(Ending::Ok, Ok(1)), Ok(1));
    assert_eq!(after(Ending::Err, Ok(1)), Err(Failed));
    assert_eq!(after(Ending::Ok, Err(Failed)), Err(Failed));
    reports.expect_none();
    assert_eq!(after(Ending::Err, Err(Failed)), Err(Failed));
    reports.expect_one("cleanup of Resource failed as well: Failed");
}

/// The outer guard was forgotten; the inner one was dropped while unwinding.
#[test]
fn outer_guard_reports_first_and_marks_inner_guards() {
    struct Outer(#[expect(dead_code, reason = "held to be dropped")] Vec<AsyncDropGuard<Resource>>);

    #[async_trait::async_trait]
    impl livedrop::AsyncDrop for Outer {
        type Error = Failed;
        async fn async_drop_impl(&mut self) -> Result<(), Failed> {
            Ok(())
        }
    }

    let log = Arc::<Log>::default();
    let lines = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let sink = std::rc::Rc::clone(&lines);
    let _hook = livedrop::hook::scoped(move |unhandled| {
        sink.borrow_mut().push(unhandled.to_string());
        livedrop::hook::panic(unhandled);
    });
    let inner = || checked(&log, Ending::Ok);
    let guard = AsyncDropGuard::live(Outer(vec![inner(), inner(), inner()]));
    assert!(panic_of(|| drop(guard)).starts_with("Forgot to call async_drop on Outer"));
    let lines = lines.take();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].starts_with("Forgot to call async_drop on Outer"));
    for line in &lines[1..] {
        assert!(line.starts_with("Resource was dropped without its cleanup"), "{line}");
        assert!(line.ends_with("because the thread was panicking"), "{line}");
        assert!(!line.contains('\n'), "{line}");
    }
    assert_eq!(log.counts(), (0, 0, 3));
}

#[test]
fn into_checked_of_a_checked_guard_changes_nothing() {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let mut guard = AsyncDropGuard::into_checked(AsyncDropGuard::new(Resource::plain(&log)));
    block_on(guard.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
    reports.expect_none();
    drop(AsyncDropGuard::into_checked(AsyncDropGuard::new(Resource::plain(&log))));
    reports.expect_one("Forgot");
}

#[test]
#[expect(deprecated, reason = "they are for code that moves to this crate")]
fn names_of_the_original_pattern_work() {
    let log = Arc::<Log>::default();
    let guard = || AsyncDropGuard::new(Resource::plain(&log));
    assert_eq!(guard().unsafe_into_inner_dont_drop().touch(), 3);
    block_on(guard().map_unsafe(|resource| resource).async_drop()).unwrap();
    block_on(guard().into_box().async_drop()).unwrap();
    assert_eq!(log.counts(), (2, 2, 3));
}
