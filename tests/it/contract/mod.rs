//! The contract, path by path: a module per column, a test per row. A cell "does not compile" is a
//! compile-fail test; `cells_that_do_not_compile` lists them.

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
        "guard/forge_a_proof",
        "guard/implement_own_state",
        "scope/forget_in_scope",
        "scope/question_mark_before_cleanup",
        "scope/early_return_without_proof",
        "scope/another_guards_proof",
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
