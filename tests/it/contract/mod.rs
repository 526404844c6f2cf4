//! The contract, path by path: a module per column, a test per row. A cell "does not compile" is a
//! compile-fail test; `cells_that_do_not_compile` lists them. A guard that was adopted before its scope has
//! the same `async_drop(self)` as a `Live` one, so both share the cells "dropped twice" and "used after".

use std::path::Path;
use std::sync::Arc;

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run, wait,
};
use futures::FutureExt;
use livedrop::reaper::Report;
use livedrop::{Adopted, AsyncDropGuard, Live, Outcome, Reaper, scope, with_async_drop};

const WAITS: usize = 3;
const POLLS_OF_A_CLEANUP: usize = WAITS + 1;

fn checked(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(Resource::new(log, WAITS, ending))
}

fn live(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource, Live> {
    AsyncDropGuard::live(Resource::new(log, WAITS, ending))
}

fn log() -> Arc<Log> {
    Arc::default()
}

/// Runs `f` with a guard that the reaper adopted, drains, and asserts that nothing was reported.
/// Returns the output of `f`, and the report of the reaper.
fn with_adopted<R>(
    ending: Ending,
    f: impl FnOnce(AsyncDropGuard<Resource, Adopted>) -> R,
) -> (R, Arc<Log>, Report) {
    let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
    let output = f(reaper.adopt(checked(&log, ending)));
    let report = block_on(reaper.drain());
    block_on(reaper.async_drop()).unwrap();
    reports.expect_none();
    assert_eq!(reports.take_failed().len(), report.failures.len(), "the hook is told at once");
    (output, log, report)
}

/// `make` ends a resource by `Resource::finish`. Drops that after each number of polls: the value is lost
/// with it, and reported.
fn async_drop_via_dropped_panics<F: Future>(make: impl Fn(&Arc<Log>) -> F) {
    assert_eq!(run(make(&log())).0, POLLS_OF_A_CLEANUP);
    for polls in 0..POLLS_OF_A_CLEANUP {
        let log = log();
        let future = make(&log);
        let text = panic_of(|| cancel_after(polls, future));
        assert!(text.starts_with(if polls == 0 { FORGOT } else { CANCELLED }), "{text}");
        assert_eq!(log.finishes(), (usize::from(polls > 0), 0));
        assert_eq!(log.counts(), (0, 0, 1));
    }
}

/// `make` ends an adopted resource by `Resource::finish`. Drops that after each number of polls: the
/// reaper finishes it, or cleans up if it had not begun. It never does both.
fn async_drop_via_dropped_is_resumed<F: Future>(
    make: impl Fn(AsyncDropGuard<Resource, Adopted>) -> F,
) {
    let ((polls, _), log, report) = with_adopted(Ending::Ok, |guard| run(make(guard)));
    assert_eq!((polls, report.cleaned), (POLLS_OF_A_CLEANUP, 0));
    assert_eq!((log.finishes(), log.counts()), ((1, 1), (0, 0, 1)));
    for polls in 0..POLLS_OF_A_CLEANUP {
        let ((), log, report) = with_adopted(Ending::Ok, |guard| cancel_after(polls, make(guard)));
        let ended = (log.finishes(), log.counts());
        let expected = if polls == 0 { ((0, 0), (1, 1, 1)) } else { ((1, 1), (0, 0, 1)) };
        assert_eq!(ended, expected, "after {polls} polls");
        assert_eq!((report.cleaned, report.failures.len()), (1, 0));
    }
}

const FORGOT: &str = "Forgot to call async_drop on Resource";
const CANCELLED: &str = "async_drop on Resource was cancelled before it finished";
const BODY_CANCELLED: &str = "the body was cancelled before async_drop on Resource";
const UNWINDING: &str = "Resource was dropped without its cleanup";

#[test]
fn cells_that_do_not_compile() {
    for file in [
        "guard/drop_twice",
        "guard/use_after_drop",
        "guard/use_dropped_guard",
        "guard/use_after_async_drop_via",
        "guard/forge_a_proof",
        "guard/implement_own_state",
        "scope/forget_in_scope",
        "scope/forget_an_adopted_guard",
        "scope/question_mark_before_cleanup",
        "scope/question_mark_with_an_adopted_guard",
        "scope/early_return_without_proof",
        "scope/another_guards_proof",
        "scope/another_guards_ending",
        "scope/proofs_of_two_guards_exchanged",
        "scope/unscoped_proof",
        "with_async_drop/use_after_with",
    ] {
        for ending in ["rs", "stderr"] {
            let path = Path::new("compile-fail").join(format!("{file}.{ending}"));
            assert!(path.exists(), "{}", path.display());
        }
    }
}

mod adopted_alone;
mod adopted_in_scope;
mod checked_alone;
mod live_alone;
mod live_in_scope;
mod with_adopted;
mod with_owned;

#[test]
#[deny(unreachable_code)]
fn a_block_need_not_end() {
    let guard = checked(&log(), Ending::Ok);
    let text = panic_of(|| {
        cancel_after(1, async {
            let served: Result<(), Failed> = with_async_drop!(guard, {
                loop {
                    std::future::pending::<()>().await;
                }
            });
            served
        });
    });
    assert!(text.starts_with(BODY_CANCELLED), "{text}");
}

#[test]
fn futures_need_no_runtime() {
    let log = log();
    let guard = live(&log, Ending::Ok);
    let outcome = run(guard.async_drop().map(|outcome| outcome.result)).1;
    assert_eq!(outcome, Ok(()));
}
