//! The column of `with_async_drop` with `Adopted` guards: the function and the macro.

use super::*;

type Guard = AsyncDropGuard<Resource, Adopted>;

macro_rules! column {
    ($column:ident, |$guard:ident, $body:ident| $with:expr) => {
        mod $column {
            use super::*;

            async fn with<R>(
                $guard: Guard,
                $body: impl AsyncFnOnce(&mut Resource) -> Result<R, Failed>,
            ) -> Result<R, Failed> {
                $with
            }

            /// Runs `f` with an adopted guard, drains, and asserts that nothing was reported.
            fn under<R>(ending: Ending, f: impl FnOnce(Guard) -> R) -> (R, Arc<Log>, Report) {
                let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
                let output = f(reaper.adopt(live(&log, ending)));
                let report = block_on(reaper.drain());
                block_on(reaper.async_drop()).unwrap();
                reports.expect_none();
                (output, log, report)
            }

            #[test]
            fn question_mark_is_cleaned() {
                let (result, log, report) = under(Ending::Ok, |guard| {
                    block_on(with(guard, async |_| {
                        Err(Failed)?;
                        Ok(())
                    }))
                });
                assert_eq!(result, Err(Failed));
                assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 0));
            }

            #[test]
            fn panic_in_body_is_cleaned_and_then_resumed() {
                let (text, log, report) = under(Ending::Ok, |guard| {
                    panic_of(|| {
                        block_on(with(guard, async |resource| {
                            wait(1).await;
                            assert!(resource.touch() != WAITS, "body");
                            Ok(())
                        }))
                    })
                });
                assert_eq!(text, "body");
                assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 0));
            }

            #[test]
            fn future_dropped_anywhere_the_reaper_cleans_or_resumes() {
                let make = |guard| {
                    with(guard, async |_| {
                        wait(WAITS).await;
                        Ok(())
                    })
                };
                let ((total, result), ..) = under(Ending::Ok, |guard| run(make(guard)));
                assert_eq!((total, result), (WAITS + POLLS_OF_A_CLEANUP, Ok(())));
                for polls in 0..total {
                    let ((), log, report) =
                        under(Ending::Ok, |guard| cancel_after(polls, make(guard)));
                    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1));
                }
            }

            #[test]
            fn failing_cleanup_is_an_err() {
                let (result, log, _) =
                    under(Ending::Err, |guard| block_on(with(guard, async |_| Ok(()))));
                assert_eq!((result, log.counts()), (Err(Failed), (1, 1, 1)));
            }

            #[test]
            fn panicking_cleanup_disarms_and_propagates() {
                let (text, log, report) = under(Ending::Panic, |guard| {
                    panic_of(|| block_on(with(guard, async |_| Ok(()))))
                });
                assert_eq!(text, "cleanup went wrong");
                assert_eq!((log.counts(), report.cleaned), ((1, 0, 1), 0));
            }

            #[test]
            fn panicking_cleanup_by_reaper_is_in_its_report() {
                let ((), log, report) = under(Ending::Panic, |guard| {
                    cancel_after(2, with(guard, async |_| Ok(())));
                });
                assert_eq!((log.counts(), report.failures.len()), ((1, 0, 1), 1));
            }

            #[test]
            fn body_and_cleanup_fail_hook_gets_cleanup_error() {
                let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
                let guard = reaper.adopt(live(&log, Ending::Err));
                let result: Result<(), Failed> = block_on(with(guard, async |_| Err(Failed)));
                assert_eq!(result, Err(Failed));
                reports.expect_one("cleanup of Resource failed as well: Failed");
                block_on(reaper.async_drop()).unwrap();
            }
        }
    };
}

column!(function, |guard, body| with_async_drop(guard, body).await);
column!(in_macro, |guard, body| with_async_drop!(guard, { body(&mut guard).await }));
