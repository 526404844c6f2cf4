//! `try_or_drop!`: the `?` of a strict scope.

use super::*;

#[derive(Debug, PartialEq)]
enum AppError {
    Parse(std::num::ParseIntError),
    Cleanup(Failed),
    Cleanups(usize),
}

impl From<std::num::ParseIntError> for AppError {
    fn from(error: std::num::ParseIntError) -> Self {
        Self::Parse(error)
    }
}

impl From<Failed> for AppError {
    fn from(error: Failed) -> Self {
        Self::Cleanup(error)
    }
}

impl From<Errors> for AppError {
    fn from(errors: Errors) -> Self {
        Self::Cleanups(errors.len())
    }
}

/// Parses `text` with one guard, adopted.
fn parse(text: &str, ending: Ending) -> (Result<u32, AppError>, Vec<String>) {
    let (log, reports, mut reaper) = (log(), Reports::collect(), Reaper::new());
    let guard = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 1, ending)));
    let result = block_on(scope!(guard, async |guard| {
        let parsed = try_or_drop!(guard, text.parse::<u32>());
        assert_eq!(log.counts().0, 0, "the guard is still there");
        guard.async_drop().await.after(Ok(parsed))
    }));
    assert_eq!(log.counts(), (1, 1, 1));
    block_on(reaper.async_drop()).unwrap();
    (result, reports.take())
}

/// Parses `text` with two guards, live and adopted, whose cleanups end so.
fn parse_with_two(text: &str, a: Ending, b: Ending) -> (Result<u32, AppError>, Vec<String>) {
    let (log, reports, mut reaper) = (log(), Reports::collect(), Reaper::new());
    let a = AsyncDropGuard::live(Resource::new(&log, 1, a));
    let b = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 2, b)));
    let result = block_on(scope!((a, b), async |a, b| {
        let parsed = try_or_drop!((a, b), text.parse::<u32>());
        async_drop_all((a, b)).await.after(Ok(parsed))
    }));
    assert_eq!(log.counts(), (2, 2, 2));
    block_on(reaper.async_drop()).unwrap();
    (result, reports.take())
}

fn parse_error() -> AppError {
    "x".parse::<u32>().unwrap_err().into()
}

#[test]
fn ok_is_its_value() {
    assert_eq!(parse("7", Ending::Ok), (Ok(7), vec![]));
    assert_eq!(parse_with_two("7", Ending::Ok, Ending::Ok), (Ok(7), vec![]));
}

#[test]
fn an_error_is_converted_after_the_cleanup() {
    assert_eq!(parse("x", Ending::Ok), (Err(parse_error()), vec![]));
    assert_eq!(parse_with_two("x", Ending::Ok, Ending::Ok), (Err(parse_error()), vec![]));
}

#[test]
fn only_the_cleanup_fails_its_error_is_returned() {
    assert_eq!(parse("7", Ending::Err), (Err(AppError::Cleanup(Failed)), vec![]));
    let (result, reports) = parse_with_two("7", Ending::Err, Ending::Err);
    assert_eq!((result, reports), (Err(AppError::Cleanups(2)), vec![]));
}

#[test]
fn both_fail_hook_gets_the_cleanup_error() {
    let (result, reports) = parse("x", Ending::Err);
    assert_eq!((result, reports.len()), (Err(parse_error()), 1));
    assert!(reports[0].starts_with("cleanup of Resource failed as well: Failed"), "{reports:?}");
    let (result, reports) = parse_with_two("x", Ending::Err, Ending::Err);
    assert_eq!((result, reports.len()), (Err(parse_error()), 2));
}

#[test]
fn a_panicking_cleanup_goes_before_the_error() {
    let log = log();
    let ((), report) = under(|reaper| {
        let guard = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 1, Ending::Panic)));
        let text = panic_of(|| {
            block_on(scope!(guard, async |guard| {
                try_or_drop!(guard, Err::<(), _>(Failed));
                guard.async_drop().await.after(Ok::<_, Failed>(()))
            }))
        });
        assert_eq!(text, "cleanup went wrong");
    });
    assert_eq!((log.counts(), report.cleaned), ((1, 0, 1), 0));
}

/// Uses the guard in loops and matches, and fails in the round `bad`.
async fn rounds(world: Arc<World>, bad: usize) {
    let guard = world.reaper.adopt(world.checked(2, Ending::Ok));
    let result: Result<usize, Failed> = scope!(guard, async |guard| {
        let mut sum = 0;
        for round in 0..3 {
            world.steps(1).await;
            sum += match round {
                0 | 2 => try_or_drop!(guard, if round == bad { Err(Failed) } else { Ok(round) }),
                _ => {
                    wait(1).await;
                    let checked =
                        async { if round == bad { Err(Failed) } else { Ok(guard.touch()) } };
                    try_or_drop!(guard, checked.await)
                }
            };
        }
        world.steps(1).await;
        guard.async_drop().await.after(Ok(sum))
    })
    .await;
    assert_eq!(result, if bad < 3 { Err(Failed) } else { Ok(2 + 2) });
}

#[test]
fn in_loops_and_matches_it_cleans_up_once() {
    for bad in 0..=3 {
        explore(&format!("round {bad}"), &|world| rounds(world, bad).boxed());
    }
}

#[test]
fn with_a_tuple_every_end_cleans_up_once() {
    explore("two", &|world| {
        async move {
            let a = world.reaper.adopt(world.checked(1, Ending::Ok));
            let b = world.reaper.adopt(world.checked(2, Ending::Ok));
            let result: Result<u32, Errors> = scope!((a, b), async |a, b| {
                let one = try_or_drop!((a, b), Ok::<_, Failed>(1));
                world.steps(1).await;
                let two = try_or_drop!((a, b), Err::<u32, _>(Failed));
                async_drop_all((a, b)).await.after(Ok(one + two))
            })
            .await;
            assert_eq!(result, Err(Failed.into()));
        }
        .boxed()
    });
}

#[test]
fn a_question_mark_in_an_inner_block_stays_there() {
    for (text, expected) in [("7", Ok(7)), ("x", Err(parse_error()))] {
        let log = log();
        let result: Result<u32, AppError> = block_on(scope!(live(&log), async |guard| {
            let parsed = async { Ok::<_, AppError>(text.parse::<u32>()?) };
            let parsed = try_or_drop!(guard, parsed.await);
            guard.async_drop().await.after(Ok(parsed))
        }));
        assert_eq!((result, log.counts()), (expected, (1, 1, 1)));
    }
}

#[test]
fn one_of_two_guards_may_end_before() {
    let log = log();
    let ((), report) = under(|reaper| {
        let (a, b) = (reaper.adopt(checked(&log)), reaper.adopt(checked(&log)));
        let result = block_on(scope!((a, b), async |a, b| {
            let a = a.async_drop().await.proof;
            // A body of one guard: the inner scope's own `try_or_drop!` would return from it.
            let (b, result) = b.async_drop().await.after(Err::<(), _>(Failed));
            ((a, b), result)
        }));
        assert_eq!(result, Err(Failed));
    });
    assert_eq!((log.counts(), report.cleaned), ((2, 2, 2), 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_runs_in_a_spawned_task() {
    let log = log();
    leaks(async |reaper| {
        for live_too in [false, true] {
            let guard = reaper.adopt(checked(&log));
            let task = tokio::spawn(async move {
                scope!(guard, async |guard| {
                    tokio::task::yield_now().await;
                    let answer = if live_too { Err(Failed) } else { Ok(1) };
                    let answer = try_or_drop!(guard, answer);
                    guard.async_drop().await.after(Ok::<_, AppError>(answer))
                })
                .await
            });
            let expected = if live_too { Err(AppError::Cleanup(Failed)) } else { Ok(1) };
            assert_eq!(task.await.unwrap(), expected);
        }
        assert_eq!(log.counts(), (2, 2, 2));
    })
    .await;
}
