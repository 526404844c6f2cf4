//! A scope over several guards.

use std::io;

use super::*;

#[test]
fn several_guards_are_cleaned_up_together() {
    let log = log();
    block_on(leaks(async |reaper| {
        let (adopted, live) = (reaper.adopt(checked(&log)), live(&log));
        let sum = scope!((adopted, live), async |a, b| {
            let sum = Ok(a.touch() + b.touch());
            async_drop_all((a, b)).await.after::<_, Errors>(sum)
        });
        assert_eq!((sum.await, log.counts()), (Ok(2 * WAITS), (2, 2, 2)));
    }));
}

#[test]
fn every_end_cleans_up_each_guard_once() {
    for ending in [Ending::Ok, Ending::Err] {
        let adopt = move |world: &World, waits| world.reaper.adopt(world.checked(waits, ending));
        explore("two, one after the other", &|world| {
            async move {
                scope!((adopt(&world, 1), adopt(&world, 2)), async |a, b| {
                    world.steps(2).await;
                    let a = a.async_drop().await;
                    world.steps(1).await;
                    ((a.proof, b.async_drop().await.proof), ())
                })
                .await;
            }
            .boxed()
        });
        explore("three, together", &|world| {
            async move {
                let guards = (adopt(&world, 2), adopt(&world, 0), adopt(&world, 1));
                let result = scope!((guards.0, guards.1, guards.2), async |a, b, c| {
                    world.steps(1).await;
                    async_drop_all((a, b, c)).await.after(Ok::<_, Errors>(()))
                });
                assert_eq!(result.await.is_err(), ending == Ending::Err);
            }
            .boxed()
        });
        explore("four, two together", &|world| {
            async move {
                let a = (adopt(&world, 0), adopt(&world, 1));
                let b = (adopt(&world, 2), adopt(&world, 3));
                scope!((a.0, a.1, b.0, b.1), async |a, b, c, d| {
                    world.steps(1).await;
                    let outcome = async_drop_all((d, b)).await;
                    world.steps(1).await;
                    let (d, b) = outcome.proofs;
                    ((a.async_drop().await.proof, b, c.async_drop().await.proof, d), ())
                })
                .await;
            }
            .boxed()
        });
    }
}

/// Cancels after each number of polls a scope over adopted and live guards with these cleanups. The reaper
/// cleans up the adopted ones. Each live one is reported, unless its cleanup had ended.
fn mixed_cancelled<F: Future>(
    live: &[usize],
    adopted: &[usize],
    make: impl Fn(&Reaper, &[Arc<Log>]) -> F,
) {
    let count = live.len() + adopted.len();
    let logs = || (0..count).map(|_| log()).collect::<Vec<_>>();
    let ((needed, _), _) = under(|reaper| run(make(reaper, &logs())));
    assert!(needed > 3);
    for polls in 0..needed {
        let (logs, reports, mut reaper) = (logs(), Reports::collect(), Reaper::new());
        cancel_after(polls, make(&reaper, &logs));
        let counts: Vec<_> = live.iter().map(|at| logs[*at].counts()).collect();
        let of = |counts| move |it: &&(usize, usize, usize)| **it == counts;
        let forgotten = counts.iter().filter(of((0, 0, 1))).count();
        let cancelled = counts.iter().filter(of((1, 0, 1))).count();
        let cleaned = counts.iter().filter(of((1, 1, 1))).count();
        assert_eq!(forgotten + cancelled + cleaned, live.len(), "{counts:?} after {polls} polls");
        let texts = reports.take();
        let starting = |with| texts.iter().filter(|text| text.starts_with(with)).count();
        assert_eq!((starting(FORGOT), starting(CANCELLED)), (forgotten, cancelled), "{texts:?}");
        assert_eq!(texts.len(), forgotten + cancelled, "{texts:?}");
        block_on(reaper.async_drop()).unwrap();
        for at in adopted {
            assert_eq!(logs[*at].counts(), (1, 1, 1), "guard {at} after {polls} polls");
        }
        reports.expect_none();
    }
}

fn of(log: &Arc<Log>, waits: usize) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(Resource::new(log, waits, Ending::Ok))
}

fn live_of(log: &Arc<Log>, waits: usize) -> AsyncDropGuard<Resource, Live> {
    AsyncDropGuard::live(Resource::new(log, waits, Ending::Ok))
}

#[test]
fn two_mixed_guards_cancelled_lose_only_unbacked_ones() {
    mixed_cancelled(&[1], &[0], |reaper, logs| {
        scope!((reaper.adopt(of(&logs[0], 1)), live_of(&logs[1], 2)), async |a, b| {
            wait(1).await;
            async_drop_all((a, b)).await.after(Ok::<_, Errors>(()))
        })
    });
    mixed_cancelled(&[0], &[1], |reaper, logs| {
        scope!((live_of(&logs[0], 2), reaper.adopt(of(&logs[1], 1))), async |a, b| {
            wait(1).await;
            ((a.async_drop().await.proof, b.async_drop().await.proof), ())
        })
    });
}

#[test]
fn three_mixed_guards_cancelled_lose_only_unbacked_ones() {
    mixed_cancelled(&[0, 2], &[1], |reaper, logs| {
        let b = reaper.adopt(of(&logs[1], 2));
        scope!((live_of(&logs[0], 1), b, live_of(&logs[2], 3)), async |a, b, c| {
            wait(1).await;
            async_drop_all((a, b, c)).await.after(Ok::<_, Errors>(()))
        })
    });
}

#[test]
fn four_mixed_guards_cancelled_lose_only_unbacked_ones() {
    mixed_cancelled(&[1, 3], &[0, 2], |reaper, logs| {
        let (a, c) = (reaper.adopt(of(&logs[0], 3)), reaper.adopt(of(&logs[2], 1)));
        let guards = (a, live_of(&logs[1], 2), c, live_of(&logs[3], 0));
        scope!((guards.0, guards.1, guards.2, guards.3), async |a, b, c, d| {
            wait(1).await;
            let result = Err::<u32, Errors>(Failed.into());
            let output = try_or_drop!((a, b, c, d), result);
            async_drop_all((a, b, c, d)).await.after(Ok::<_, Errors>(output))
        })
    });
}

/// A scope over two guards whose cleanups end so, adopted and live, and a body that ends with `body`.
fn ends(a: Ending, b: Ending, body: Result<u32, Errors>) -> (Result<u32, Errors>, Vec<String>) {
    let (log, reports) = (log(), Reports::collect());
    let mut reaper = Reaper::new();
    let a = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 2, a)));
    let b = AsyncDropGuard::live(Resource::new(&log, 1, b));
    let result = block_on(scope!((a, b), async |a, b| async_drop_all((a, b)).await.after(body)));
    assert_eq!(log.counts(), (2, 2, 2));
    block_on(reaper.async_drop()).unwrap();
    (result, reports.take())
}

#[test]
fn errors_of_both_cleanups_are_kept() {
    let (result, reports) = ends(Ending::Err, Ending::Err, Ok(1));
    assert_eq!((result.unwrap_err().len(), reports.len()), (2, 0));
    let (result, reports) = ends(Ending::Ok, Ending::Err, Ok(1));
    assert_eq!((result.unwrap_err().len(), reports.len()), (1, 0));
    assert_eq!(ends(Ending::Ok, Ending::Ok, Ok(1)), (Ok(1), vec![]));
}

#[test]
fn body_fails_first_hook_gets_cleanup_errors() {
    let body = || Err(Errors::from(Failed));
    let text = "cleanup of (Resource, Resource) failed as well: Failed";
    assert_eq!(ends(Ending::Ok, Ending::Ok, body()), (body(), vec![]));
    for (a, b, count) in [(Ending::Err, Ending::Ok, 1), (Ending::Err, Ending::Err, 2)] {
        let (result, reports) = ends(a, b, body());
        assert_eq!(result.unwrap_err().len(), 1);
        assert_eq!(reports.len(), count);
        assert!(reports.iter().all(|report| report.starts_with(text)), "{reports:?}");
    }
}

#[test]
fn output_that_panics_hook_gets_cleanup_errors() {
    let (log, reports) = (log(), Reports::collect_and_panic());
    let a = AsyncDropGuard::live(Resource::new(&log, 0, Ending::Err));
    let text = panic_of(|| {
        block_on(scope!((a, live(&log)), async |a, b| {
            // A guard that is dropped panics.
            async_drop_all((a, b)).await.after(Ok::<_, Errors>(live(&log)))
        }))
    });
    assert!(text.starts_with(FORGOT), "{text}");
    reports.expect(&[FORGOT, "cleanup of (Resource, Resource) failed as well: Failed"]);
    assert_eq!(log.counts(), (2, 2, 3));
}

#[test]
fn a_cleanup_that_panics_leaves_out_none() {
    let log = log();
    let ((), report) = under(|reaper| {
        let a = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 0, Ending::Panic)));
        let text = panic_of(|| {
            block_on(scope!((a, live(&log)), async |a, b| {
                async_drop_all((a, b)).await.after(Ok::<_, Errors>(()))
            }))
        });
        assert_eq!(text, "cleanup went wrong");
        expect_drained(reaper);
    });
    assert_eq!((log.counts(), report.cleaned), ((2, 1, 2), 0));
}

#[test]
fn a_done_guard_among_others_panics() {
    let (log, other) = (log(), log());
    let ((), report) = under(|reaper| {
        let (first, second) = (reaper.adopt(checked(&other)), done(reaper, &log));
        let text = panic_of(|| {
            scope!((first, second), async |a, b| ((log_out(a).await, log_out(b).await), ()))
        });
        assert!(text.starts_with(&format!("used Resource {BEGUN}")), "{text}");
    });
    assert_eq!((log.counts(), other.counts(), report.cleaned), ((1, 1, 1), (1, 1, 1), 1));
}

#[test]
fn guards_may_be_of_different_types() {
    let (log, mut row) = (log(), crate::numbered::Row::default());
    block_on(leaks(async |reaper| {
        let numbered = reaper.adopt(AsyncDropGuard::new(row.value(1, Ending::Ok)));
        let number = scope!((live(&log), numbered), async |resource, mut numbered| {
            numbered.number += 1;
            let number = numbered.number;
            ((log_out(resource).await, numbered.async_drop().await.proof), number)
        });
        assert_eq!((number.await, log.counts()), (1, (1, 1, 1)));
        row.expect_cleaned_once();
    }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_to_four_guards_run_in_spawned_tasks() {
    let log = log();
    leaks(async |reaper| {
        let adopted = || reaper.adopt(checked(&log));
        let (a, b) = (live(&log), adopted());
        let two =
            scope!((a, b), async |a, b| ((log_out(a).await, log_out::<Adopted>(b).await), ()));
        tokio::spawn(two).await.unwrap();
        let (a, b, c) = (adopted(), live(&log), adopted());
        let three = scope!((a, b, c), async |a, b, c| {
            tokio::task::yield_now().await;
            async_drop_all((a, b, c)).await.after(Ok::<_, Errors>(3))
        });
        assert_eq!(tokio::spawn(three).await.unwrap(), Ok(3));
        let (a, b, c, d) = (live(&log), live(&log), adopted(), adopted());
        let four = scope!((a, b, c, d), async |a, b, c, d| {
            tokio::task::yield_now().await;
            let answer = try_or_drop!((a, b, c, d), Ok::<_, Errors>(4));
            async_drop_all((a, b, c, d)).await.after(Ok(answer))
        });
        assert_eq!(tokio::spawn(four).await.unwrap(), Ok::<_, Errors>(4));
        assert_eq!(log.counts(), (9, 9, 9));
    })
    .await;
}

#[test]
fn body_with_an_io_error_takes_the_errors_of_all_cleanups() {
    let failing = |text: &'static str| {
        AsyncDropGuard::live_with_cleanup((), async move |()| Err::<(), _>(io::Error::other(text)))
    };
    let result = block_on(scope!((failing("a"), failing("b")), async |a, b| {
        async_drop_all((a, b)).await.after(Ok::<_, io::Error>(1))
    }));
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), "2 cleanups failed: a; b");
    let all = error.into_inner().unwrap().downcast::<CleanupErrors<io::Error>>().unwrap();
    assert_eq!(all.len(), 2);
}
