//! The contract, path by path: a module per column, a test per row. Cells that say "does not
//! compile" are files of the gallery, which `cells_that_do_not_compile` names.

mod support;

use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use livedrop::{AsyncDropGuard, Live, Outcome, scope, with_async_drop};
use support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run, wait,
};

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

mod checked_alone {
    use super::*;

    #[test]
    fn forgotten_panics_with_type_and_creation_site() {
        let log = log();
        let line = line!() + 1;
        let guard = AsyncDropGuard::new(Resource::plain(&log));
        let text = panic_of(|| drop(guard));
        assert!(text.starts_with(&format!("{FORGOT}{}", created_at(file!(), line))), "{text}");
        assert!(!text.contains("secret"));
        assert_eq!(log.counts(), (0, 0, 1));
    }

    #[test]
    fn question_mark_before_it_panics() {
        let log = log();
        let text = panic_of(|| {
            block_on(async {
                let mut guard = checked(&log, Ending::Ok);
                Err(Failed)?;
                guard.async_drop().await
            })
        });
        assert!(text.starts_with(FORGOT), "{text}");
        assert_eq!(log.counts(), (0, 0, 1));
    }

    #[test]
    fn dropped_twice_is_ok_and_has_no_effect() {
        let log = log();
        let mut guard = checked(&log, Ending::Ok);
        assert_eq!(block_on(guard.async_drop()), Ok(()));
        assert!(guard.is_dropped());
        assert_eq!(block_on(guard.async_drop()), Ok(()));
        assert_eq!(log.counts(), (1, 1, 1));
    }

    #[test]
    fn used_after_panics_with_type_and_both_sites() {
        let log = log();
        let line = line!() + 1;
        let mut guard = AsyncDropGuard::new(Resource::plain(&log));
        block_on(guard.async_drop()).unwrap();
        let text = panic_of(|| guard.touch());
        let beginning = format!("used Resource after its cleanup{}", created_at(file!(), line));
        assert!(text.starts_with(&beginning), "{text}");
        let text = panic_of(|| guard.waits = 1);
        assert!(text.starts_with(&beginning), "{text}");
    }

    #[test]
    fn panic_in_the_body_reports_a_line_and_does_not_abort() {
        let (log, reports) = (log(), Reports::collect());
        let text = panic_of(|| {
            let _guard = checked(&log, Ending::Ok);
            panic!("body");
        });
        assert_eq!(text, "body");
        reports.expect_one(UNWINDING);
        assert_eq!(log.counts(), (0, 0, 1));
    }

    #[test]
    fn future_dropped_in_the_body_panics() {
        for polls in 1..=WAITS {
            let log = log();
            let text = panic_of(|| {
                cancel_after(polls, async {
                    let mut guard = checked(&log, Ending::Ok);
                    wait(WAITS).await;
                    guard.async_drop().await.unwrap();
                });
            });
            assert!(text.starts_with(FORGOT), "{text}");
            assert_eq!(log.counts(), (0, 0, 1));
        }
    }

    #[test]
    fn future_dropped_in_cleanup_leaves_it_armed_to_be_called_again() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let (log, reports) = (log(), Reports::collect());
            let mut guard = checked(&log, Ending::Ok);
            cancel_after(polls, guard.async_drop());
            assert!(!guard.is_dropped());
            assert_eq!(guard.touch(), WAITS);
            assert_eq!(run(guard.async_drop()), (POLLS_OF_A_CLEANUP, Ok(())));
            drop(guard);
            assert_eq!(log.counts(), (1 + usize::from(polls > 0), 1, 1));
            reports.expect_none();
        }
    }

    #[test]
    fn future_dropped_in_cleanup_and_then_forgotten_panics() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let log = log();
            let line = line!() + 1;
            let mut guard = AsyncDropGuard::new(Resource::plain(&log));
            cancel_after(polls, guard.async_drop());
            let text = panic_of(|| drop(guard));
            let beginning = if polls == 0 { FORGOT } else { CANCELLED };
            let beginning = format!("{beginning}{}", created_at(file!(), line));
            assert!(text.starts_with(&beginning), "{text}");
            assert_eq!(log.counts(), (usize::from(polls > 0), 0, 1));
        }
    }

    #[test]
    fn failing_cleanup_is_an_err_and_ends_it() {
        let (log, reports) = (log(), Reports::collect());
        let mut guard = checked(&log, Ending::Err);
        assert_eq!(run(guard.async_drop()), (POLLS_OF_A_CLEANUP, Err(Failed)));
        assert_eq!(log.counts(), (1, 1, 1));
        assert_eq!(block_on(guard.async_drop()), Ok(()));
        drop(guard);
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    #[test]
    fn panicking_cleanup_disarms_and_goes_on() {
        for waits in 0..WAITS {
            let (log, reports) = (log(), Reports::collect());
            let mut guard = AsyncDropGuard::new(Resource::new(&log, waits, Ending::Panic));
            assert_eq!(panic_of(|| block_on(guard.async_drop())), "cleanup went wrong");
            assert_eq!(log.counts(), (1, 0, 1), "the value is dropped at once");
            assert!(guard.is_dropped());
            assert_eq!(block_on(guard.async_drop()), Ok(()));
            drop(guard);
            reports.expect_none();
            assert_eq!(log.counts(), (1, 0, 1));
        }
    }
}

mod live_alone {
    use super::*;

    #[test]
    fn forgotten_panics_with_type_and_creation_site() {
        let log = log();
        let line = line!() + 1;
        let guard = AsyncDropGuard::live(Resource::plain(&log));
        let text = panic_of(|| drop(guard));
        assert!(text.starts_with(&format!("{FORGOT}{}", created_at(file!(), line))), "{text}");
        assert!(!text.contains("secret"));
        assert_eq!(log.counts(), (0, 0, 1));
    }

    #[test]
    fn question_mark_before_it_panics() {
        let log = log();
        let text = panic_of(|| {
            block_on(async {
                let guard = live(&log, Ending::Ok);
                Err(Failed)?;
                guard.async_drop().await.result
            })
        });
        assert!(text.starts_with(FORGOT), "{text}");
        assert_eq!(log.counts(), (0, 0, 1));
    }

    #[test]
    fn panic_in_the_body_reports_a_line_and_does_not_abort() {
        let (log, reports) = (log(), Reports::collect());
        let text = panic_of(|| {
            let _guard = live(&log, Ending::Ok);
            panic!("body");
        });
        assert_eq!(text, "body");
        reports.expect_one(UNWINDING);
        assert_eq!(log.counts(), (0, 0, 1));
    }

    #[test]
    fn future_dropped_in_the_body_panics() {
        for polls in 1..=WAITS {
            let log = log();
            let text = panic_of(|| {
                cancel_after(polls, async {
                    let guard = live(&log, Ending::Ok);
                    wait(WAITS).await;
                    guard.async_drop().await.result.unwrap();
                });
            });
            assert!(text.starts_with(FORGOT), "{text}");
            assert_eq!(log.counts(), (0, 0, 1));
        }
    }

    #[test]
    fn future_dropped_in_cleanup_panics_as_cancelled() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let log = log();
            let line = line!() + 1;
            let guard = AsyncDropGuard::live(Resource::plain(&log));
            let text = panic_of(|| cancel_after(polls, guard.async_drop()));
            let beginning = if polls == 0 { FORGOT } else { CANCELLED };
            let beginning = format!("{beginning}{}", created_at(file!(), line));
            assert!(text.starts_with(&beginning), "{text}");
            assert_eq!(log.counts(), (usize::from(polls > 0), 0, 1));
        }
    }

    #[test]
    fn cleanup_gives_proof_and_ok() {
        let (log, reports) = (log(), Reports::collect());
        let (polls, Outcome { proof, result }) = run(live(&log, Ending::Ok).async_drop());
        assert_eq!((polls, result), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        drop(proof);
        reports.expect_none();
    }

    #[test]
    fn failing_cleanup_gives_proof_and_err() {
        let (log, reports) = (log(), Reports::collect());
        let (polls, Outcome { proof, result }) = run(live(&log, Ending::Err).async_drop());
        assert_eq!((polls, result), (POLLS_OF_A_CLEANUP, Err(Failed)));
        drop(proof);
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    #[test]
    fn panicking_cleanup_disarms_and_goes_on() {
        for waits in 0..WAITS {
            let (log, reports) = (log(), Reports::collect());
            let guard = AsyncDropGuard::live(Resource::new(&log, waits, Ending::Panic));
            assert_eq!(panic_of(|| block_on(guard.async_drop())), "cleanup went wrong");
            assert_eq!(log.counts(), (1, 0, 1));
            reports.expect_none();
        }
    }
}

mod live_in_scope {
    use super::*;

    async fn cleaned_after_waiting(guard: AsyncDropGuard<Resource, Live>) -> Result<usize, Failed> {
        scope(guard, async |guard| {
            wait(WAITS).await;
            let touched = Ok(guard.touch());
            guard.async_drop().await.after(touched)
        })
        .await
    }

    #[test]
    fn cleanup_gives_the_output() {
        let log = log();
        let (polls, output) = run(cleaned_after_waiting(live(&log, Ending::Ok)));
        assert_eq!((polls, output), (WAITS + POLLS_OF_A_CLEANUP, Ok(WAITS)));
        assert_eq!(log.counts(), (1, 1, 1));
    }

    #[test]
    fn panic_in_the_body_reports_a_line_and_does_not_abort() {
        let (log, reports) = (log(), Reports::collect());
        let guard = live(&log, Ending::Ok);
        let text = panic_of(|| {
            block_on(scope(guard, async |guard| {
                assert!(guard.touch() != WAITS, "body");
                (guard.async_drop().await.proof, ())
            }));
        });
        assert_eq!(text, "body");
        reports.expect_one(UNWINDING);
        assert_eq!(log.counts(), (0, 0, 1));
    }

    #[test]
    fn future_dropped_anywhere_panics() {
        let total = run(cleaned_after_waiting(live(&log(), Ending::Ok))).0;
        assert_eq!(total, WAITS + POLLS_OF_A_CLEANUP);
        for polls in 0..total {
            let log = log();
            let future = cleaned_after_waiting(live(&log, Ending::Ok));
            let text = panic_of(|| cancel_after(polls, future));
            let in_cleanup = polls > WAITS;
            assert!(text.starts_with(if in_cleanup { CANCELLED } else { FORGOT }), "{text}");
            assert_eq!(log.counts(), (usize::from(in_cleanup), 0, 1));
        }
    }

    #[test]
    fn failing_cleanup_gives_proof_and_err() {
        let log = log();
        assert_eq!(block_on(cleaned_after_waiting(live(&log, Ending::Err))), Err(Failed));
        assert_eq!(log.counts(), (1, 1, 1));
    }

    #[test]
    fn panicking_cleanup_disarms_and_goes_on() {
        let (log, reports) = (log(), Reports::collect());
        let guard = live(&log, Ending::Panic);
        let text = panic_of(|| block_on(cleaned_after_waiting(guard)));
        assert_eq!(text, "cleanup went wrong");
        assert_eq!(log.counts(), (1, 0, 1));
        reports.expect_none();
    }

    #[test]
    fn body_and_cleanup_fail_and_the_caller_has_both() {
        let log = log();
        let both = block_on(scope(live(&log, Ending::Err), async |guard| {
            let body: Result<(), &str> = Err("body");
            let Outcome { proof, result } = guard.async_drop().await;
            (proof, (body, result))
        }));
        assert_eq!(both, (Err("body"), Err(Failed)));
    }
}

/// The last column but one, for both states, for the function and for the macro.
macro_rules! with_async_drop_column {
    ($column:ident, $guard:ident, |$g:ident, $body:ident| $with:expr) => {
        mod $column {
            use super::*;

            async fn with<R>(
                $g: AsyncDropGuard<Resource, impl livedrop::Lends<Resource>>,
                $body: impl AsyncFnOnce(&mut Resource) -> Result<R, Failed>,
            ) -> Result<R, Failed> {
                $with
            }

            #[test]
            fn question_mark_is_cleaned() {
                let (log, reports) = (log(), Reports::collect());
                let result: Result<usize, Failed> =
                    block_on(with($guard(&log, Ending::Ok), async |_| {
                        Err(Failed)?;
                        Ok(1)
                    }));
                assert_eq!(result, Err(Failed));
                assert_eq!(log.counts(), (1, 1, 1));
                reports.expect_none();
            }

            #[test]
            fn ok_is_cleaned() {
                let log = log();
                let future = with($guard(&log, Ending::Ok), async |resource| {
                    wait(WAITS).await;
                    assert_eq!(resource.log.counts(), (0, 0, 0));
                    Ok(resource.touch())
                });
                assert_eq!(run(future), (WAITS + POLLS_OF_A_CLEANUP, Ok(WAITS)));
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn panic_in_the_body_is_cleaned_and_then_resumed() {
                for waits in 0..WAITS {
                    let (log, reports) = (log(), Reports::collect());
                    let guard = $guard(&log, Ending::Ok);
                    let text = panic_of(|| {
                        block_on(with(guard, async |resource| {
                            wait(waits).await;
                            assert!(resource.touch() != WAITS, "body");
                            Ok(())
                        }))
                    });
                    assert_eq!(text, "body");
                    assert_eq!(log.counts(), (1, 1, 1));
                    reports.expect_none();
                }
            }

            #[test]
            fn future_dropped_anywhere_panics_as_cancelled() {
                let make = |log: &Arc<Log>| {
                    with($guard(log, Ending::Ok), async |_| {
                        wait(WAITS).await;
                        Ok(())
                    })
                };
                let total = run(make(&log())).0;
                assert_eq!(total, WAITS + POLLS_OF_A_CLEANUP);
                for polls in 1..total {
                    let log = log();
                    let future = make(&log);
                    let text = panic_of(|| cancel_after(polls, future));
                    let in_cleanup = polls > WAITS;
                    let beginning = if in_cleanup { CANCELLED } else { BODY_CANCELLED };
                    assert!(text.starts_with(beginning), "{text}");
                    assert_eq!(log.counts(), (usize::from(in_cleanup), 0, 1));
                }
            }

            #[test]
            fn future_never_polled_panics_as_forgotten() {
                let log = log();
                let future = with($guard(&log, Ending::Ok), async |_| Ok(()));
                assert!(panic_of(|| drop(future)).starts_with(FORGOT));
            }

            #[test]
            fn failing_cleanup_is_an_err() {
                let log = log();
                let result = block_on(with($guard(&log, Ending::Err), async |_| Ok(())));
                assert_eq!(result, Err(Failed));
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn panicking_cleanup_disarms_and_goes_on() {
                let (log, reports) = (log(), Reports::collect());
                let guard = $guard(&log, Ending::Panic);
                let text = panic_of(|| block_on(with(guard, async |_| Ok(()))));
                assert_eq!(text, "cleanup went wrong");
                assert_eq!(log.counts(), (1, 0, 1));
                reports.expect_none();
            }

            #[test]
            fn body_and_cleanup_fail_and_the_hook_gets_the_cleanups() {
                let (log, reports) = (log(), Reports::collect());
                let result: Result<(), Failed> =
                    block_on(with($guard(&log, Ending::Err), async |_| Err(Failed)));
                assert_eq!(result, Err(Failed));
                reports.expect_one("cleanup of Resource failed as well: Failed");
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn body_panics_and_cleanup_fails_and_the_hook_gets_the_cleanups() {
                for ending in [Ending::Err, Ending::Panic] {
                    let (log, reports) = (log(), Reports::collect());
                    let guard = $guard(&log, ending);
                    let text = panic_of(|| block_on(with::<()>(guard, async |_| panic!("body"))));
                    assert_eq!(text, "body");
                    reports.expect_one(match ending {
                        Ending::Err => "cleanup of Resource failed as well: Failed",
                        _ => "cleanup of Resource failed as well: panicked: cleanup went wrong",
                    });
                    assert_eq!(log.counts().2, 1);
                }
            }
        }
    };
}

with_async_drop_column!(with_checked, checked, |guard, body| with_async_drop(guard, body).await);
with_async_drop_column!(with_live, live, |guard, body| with_async_drop(guard, body).await);
with_async_drop_column!(macro_checked, checked, |guard, body| {
    with_async_drop!(guard, { body(&mut guard).await })
});
with_async_drop_column!(macro_live, live, |guard, body| {
    with_async_drop!(guard, { body(&mut guard).await })
});

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
