//! The column of `Adopted` in `scope`: the function and the macro.

use super::*;

type Guard = AsyncDropGuard<Resource, Adopted>;

/// The tests of one way to enter a scope. `$enter` enters it with `guard` and this body.
macro_rules! column {
    ($column:ident, $($scope:tt)+) => {
        mod $column {
            use super::*;

            async fn cleaned_after_waiting(guard: Guard) -> Result<usize, Failed> {
                $($scope)+(guard, async |guard| {
                    wait(WAITS).await;
                    let touched = Ok(guard.touch());
                    guard.async_drop().await.after(touched)
                })
                .await
            }

            #[test]
            fn cleanup_gives_the_output() {
                let (output, log, report) =
                    with_adopted(Ending::Ok, |guard| run(cleaned_after_waiting(guard)));
                assert_eq!(output, (WAITS + POLLS_OF_A_CLEANUP, Ok(WAITS)));
                assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 0));
            }

            #[test]
            fn panic_in_body_the_reaper_cleans() {
                for waits in 0..WAITS {
                    let (text, log, report) = with_adopted(Ending::Ok, |guard| {
                        panic_of(|| {
                            block_on($($scope)+(guard, async |guard| {
                                wait(waits).await;
                                assert!(guard.touch() != WAITS, "body");
                                (guard.async_drop().await.proof, ())
                            }));
                        })
                    });
                    assert_eq!(text, "body");
                    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1));
                }
            }

            #[test]
            fn future_dropped_anywhere_the_reaper_cleans_or_resumes() {
                for polls in 0..WAITS + POLLS_OF_A_CLEANUP {
                    let ((), log, report) = with_adopted(Ending::Ok, |guard| {
                        cancel_after(polls, cleaned_after_waiting(guard));
                    });
                    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1), "{polls} polls");
                }
            }

            #[test]
            fn dropped_in_async_drop_via_the_reaper_resumes() {
                async_drop_via_dropped_is_resumed(|guard| {
                    $($scope)+(guard, async |guard| guard.async_drop_via(Resource::finish).await)
                });
            }

            #[test]
            fn failing_cleanup_gives_proof_and_err() {
                let (result, log, report) =
                    with_adopted(Ending::Err, |guard| block_on(cleaned_after_waiting(guard)));
                assert_eq!((result, report.failures.len()), (Err(Failed), 0));
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn failing_cleanup_by_reaper_is_in_its_report() {
                for polls in 0..WAITS + POLLS_OF_A_CLEANUP {
                    let ((), log, report) = with_adopted(Ending::Err, |guard| {
                        cancel_after(polls, cleaned_after_waiting(guard));
                    });
                    assert_eq!((log.counts(), report.failures.len()), ((1, 1, 1), 1));
                }
            }

            #[test]
            fn panicking_cleanup_disarms_and_propagates() {
                let (text, log, report) = with_adopted(Ending::Panic, |guard| {
                    panic_of(|| block_on(cleaned_after_waiting(guard)))
                });
                assert_eq!(text, "cleanup went wrong");
                assert_eq!((log.counts(), report.cleaned), ((1, 0, 1), 0));
            }

            #[test]
            fn panicking_cleanup_by_reaper_is_in_its_report() {
                for polls in 0..WAITS + POLLS_OF_A_CLEANUP {
                    let ((), log, report) = with_adopted(Ending::Panic, |guard| {
                        cancel_after(polls, cleaned_after_waiting(guard));
                    });
                    assert_eq!(log.counts(), (1, 0, 1));
                    assert_eq!(report.failures[0].message, "panicked: cleanup went wrong");
                }
            }

            #[test]
            fn body_and_cleanup_fail_hook_gets_cleanup_error() {
                let (log, mut reaper, reports) = (log(), Reaper::new(), Reports::collect());
                let guard = reaper.adopt(live(&log, Ending::Err));
                let result = block_on($($scope)+(guard, async |guard| {
                    guard.async_drop().await.after(Err::<(), _>(Failed))
                }));
                assert_eq!((result, log.counts()), (Err(Failed), (1, 1, 1)));
                reports.expect_one("cleanup of Resource failed as well: Failed");
                block_on(reaper.async_drop()).unwrap();
            }
        }
    };
}

column!(function, scope);
column!(in_macro, scope!);
