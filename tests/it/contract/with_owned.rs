//! The column of `with_async_drop` with `Checked` and `Live` guards: the function and the macro.

use super::*;

macro_rules! with_async_drop_column {
    ($column:ident, $guard:ident, |$g:ident, $body:ident| $with:expr) => {
        mod $column {
            use super::*;

            async fn with<R>(
                $g: AsyncDropGuard<
                    Resource,
                    impl livedrop::state::UnscopedState + livedrop::state::Cleanable<Resource>,
                >,
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
            fn panic_in_body_is_cleaned_and_then_resumed() {
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
            fn panicking_cleanup_disarms_and_propagates() {
                let (log, reports) = (log(), Reports::collect());
                let guard = $guard(&log, Ending::Panic);
                let text = panic_of(|| block_on(with(guard, async |_| Ok(()))));
                assert_eq!(text, "cleanup went wrong");
                assert_eq!(log.counts(), (1, 0, 1));
                reports.expect_none();
            }

            #[test]
            fn body_and_cleanup_fail_hook_gets_cleanup_error() {
                let (log, reports) = (log(), Reports::collect());
                let result: Result<(), Failed> =
                    block_on(with($guard(&log, Ending::Err), async |_| Err(Failed)));
                assert_eq!(result, Err(Failed));
                reports.expect_one("cleanup of Resource failed as well: Failed");
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn body_panics_cleanup_fails_hook_gets_cleanup_error() {
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
