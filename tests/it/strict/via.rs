//! `async_drop_via`: other endings of a guard.

use std::sync::Mutex;

use async_trait::async_trait;
use livedrop::AsyncDrop;

use super::*;

/// A transaction that commits, or is rolled back by its cleanup.
struct Transaction {
    statements: Arc<Mutex<Vec<&'static str>>>,
}

impl Transaction {
    async fn execute(&self, statement: &'static str) {
        self.statements.lock().unwrap().push(statement);
        wait(1).await;
    }

    async fn commit(self) -> Result<u32, Failed> {
        self.execute("COMMIT").await;
        self.statements.lock().unwrap().push("committed");
        Ok(7)
    }
}

#[async_trait]
impl AsyncDrop for Transaction {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        self.execute("ROLLBACK").await;
        self.statements.lock().unwrap().push("rolled back");
        Ok(())
    }
}

async fn transaction(
    reaper: ReaperHandle,
    statements: Arc<Mutex<Vec<&'static str>>>,
    insert: Result<(), Failed>,
) -> Result<u32, Failed> {
    let begin = async move {
        let transaction = Transaction { statements };
        transaction.execute("BEGIN").await;
        Ok::<_, Failed>(AsyncDropGuard::new(transaction))
    };
    scope!(reaper.acquire(begin).await?, async |transaction| {
        transaction.execute("INSERT").await;
        try_or_drop!(transaction, insert);
        transaction.async_drop_via(Transaction::commit).await
    })
    .await
}

#[test]
fn a_cancelled_transaction_commits_or_rolls_back_once() {
    for fails in [false, true] {
        let insert = || if fails { Err(Failed) } else { Ok(()) };
        let make = |reaper: &Reaper, statements: &Arc<Mutex<_>>| {
            transaction(reaper.handle(), Arc::clone(statements), insert())
        };
        let ((needed, result), _) = under(|reaper| run(make(reaper, &Arc::default())));
        assert_eq!(result, if fails { Err(Failed) } else { Ok(7) });
        assert_eq!(needed, 4);
        for polls in 0..needed {
            let statements = Arc::<Mutex<Vec<&'static str>>>::default();
            let ((), report) = under(|reaper| cancel_after(polls, make(reaper, &statements)));
            let ended: &[&str] = match polls {
                0 => &[],
                1 => &["BEGIN", "ROLLBACK", "rolled back"],
                3 if !fails => &["BEGIN", "INSERT", "COMMIT", "committed"],
                _ => &["BEGIN", "INSERT", "ROLLBACK", "rolled back"],
            };
            assert_eq!(*statements.lock().unwrap(), ended, "after {polls} polls");
            assert_eq!(report.cleaned, usize::from(polls > 0));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_runs_in_a_spawned_task() {
    leaks(async |reaper| {
        let task = transaction(reaper, Arc::default(), Ok(()));
        assert_eq!(tokio::spawn(task).await.unwrap(), Ok(7));
    })
    .await;
}

/// Closes the value with an argument.
async fn close_with(resource: Resource, code: usize) -> usize {
    let waits = resource.touch();
    resource.finish().await.unwrap();
    waits + code
}

/// The tests of a guard in one state. `$guard` makes it of a resource, for `$reaper`.
macro_rules! in_state {
    ($state:ident, |$reaper:ident, $resource:ident| $guard:expr) => {
        mod $state {
            use super::*;

            /// Ends a guard by `$end`.
            macro_rules! ended {
                ($end:expr) => {{
                    let log = log();
                    let (output, report) = under(|reaper| {
                        let make = |$reaper: &Reaper, $resource| $guard;
                        let guard = make(reaper, resource(&log));
                        let (proof, output) = block_on(guard.async_drop_via($end));
                        expect_drained(reaper);
                        drop(proof);
                        output
                    });
                    assert_eq!((log.finishes(), log.counts()), ((1, 1), (0, 0, 1)));
                    assert_eq!(report.cleaned, 0);
                    output
                }};
            }

            #[test]
            fn the_value_is_ended_once_and_dropped() {
                assert_eq!(ended!(Resource::finish), Ok(()));
                assert_eq!(ended!(|resource: Resource| resource.finish()), Ok(()));
                assert_eq!(ended!(async |resource: Resource| resource.finish().await), Ok(()));
                assert_eq!(ended!(|resource| close_with(resource, 40)), WAITS + 40);
                let code = 40;
                assert_eq!(ended!(async move |it| close_with(it, code).await), WAITS + 40);
            }

            #[test]
            fn its_error_is_the_output() {
                let log = log();
                let ((), report) = under(|reaper| {
                    let make = |$reaper: &Reaper, $resource| $guard;
                    let guard = make(reaper, Resource::new(&log, 1, Ending::Err));
                    let (_proof, result) = block_on(guard.async_drop_via(Resource::finish));
                    assert_eq!(result, Err(Failed));
                });
                assert_eq!((log.finishes(), log.counts()), ((1, 1), (0, 0, 1)));
                assert_eq!(report.failures.len(), 0);
            }

            #[test]
            fn a_panic_of_its_future_ends_it() {
                let log = log();
                let ((), report) = under(|reaper| {
                    let make = |$reaper: &Reaper, $resource| $guard;
                    let guard = make(reaper, Resource::new(&log, 1, Ending::Panic));
                    let text = panic_of(|| block_on(guard.async_drop_via(Resource::finish)));
                    assert_eq!(text, "finish went wrong");
                    expect_drained(reaper);
                });
                assert_eq!((log.finishes(), log.counts()), ((1, 0), (0, 0, 1)));
                assert_eq!(report.cleaned, 0);
            }

            #[test]
            fn a_panic_of_the_call_ends_it() {
                let log = log();
                let ((), report) = under(|reaper| {
                    let make = |$reaper: &Reaper, $resource| $guard;
                    let guard = make(reaper, resource(&log));
                    let end = |resource: Resource| {
                        assert!(resource.touch() != WAITS, "the call");
                        std::future::ready(())
                    };
                    assert_eq!(panic_of(|| block_on(guard.async_drop_via(end))), "the call");
                    expect_drained(reaper);
                });
                assert_eq!((log.counts(), report.cleaned), ((0, 0, 1), 0));
            }
        }
    };
}

in_state!(checked_guard, |_reaper, resource| AsyncDropGuard::new(resource));
in_state!(live_guard, |_reaper, resource| AsyncDropGuard::live(resource));
in_state!(adopted_guard, |reaper, resource| reaper.adopt(AsyncDropGuard::new(resource)));

#[test]
fn without_a_reaper_the_ending_may_borrow() {
    let (log, other) = (log(), String::from("borrowed"));
    let end = async |resource: Resource| {
        resource.finish().await.unwrap();
        other.len()
    };
    assert_eq!(block_on(checked(&log).async_drop_via(end)).1, 8);
    assert_eq!(block_on(live(&log).async_drop_via(end)).1, 8);
    assert_eq!(block_on(scope!(live(&log), async |guard| guard.async_drop_via(end).await)), 8);
    assert_eq!((log.finishes(), log.counts()), ((3, 3), (0, 0, 3)));
}

#[test]
fn a_done_guard_panics_with_type_and_site() {
    let log = log();
    let line = line!() + 1;
    let mut guard = AsyncDropGuard::new(resource(&log));
    block_on(guard.async_drop()).unwrap();
    let text = panic_of(|| guard.async_drop_via(Resource::finish));
    let beginning = format!("used Resource after its cleanup{}", created_at(file!(), line));
    assert!(text.starts_with(&beginning), "{text}");
    let ((), _) = under(|reaper| {
        let guard = done(reaper, &log);
        let text = panic_of(|| guard.async_drop_via(Resource::finish));
        assert!(text.starts_with(&format!("used Resource {BEGUN}")), "{text}");
        expect_drained(reaper);
    });
    assert_eq!((log.finishes(), log.counts()), ((0, 0), (2, 2, 2)));
}

#[test]
fn a_cleanup_that_has_begun_is_resumed_instead() {
    let log = log();
    let ((), report) = under(|reaper| {
        let guard = begun(reaper, &log);
        let text = panic_of(|| guard.async_drop_via(Resource::finish));
        assert!(text.starts_with(&format!("used Resource {BEGUN}")), "{text}");
    });
    assert_eq!((log.finishes(), log.counts()), ((0, 0), (1, 1, 1)));
    assert_eq!(report.cleaned, 1);
}

#[test]
fn a_cancelled_checked_cleanup_may_end_otherwise() {
    let (log, reports) = (log(), Reports::collect());
    let mut guard = checked(&log);
    cancel_after(1, guard.async_drop());
    assert_eq!(block_on(guard.async_drop_via(Resource::finish)).1, Ok(()));
    assert_eq!((log.finishes(), log.counts()), ((1, 1), (1, 0, 1)));
    reports.expect_none();
}

#[test]
fn without_its_reaper_a_cancelled_ending_is_reported() {
    for polls in 0..=WAITS {
        let (log, reports, mut reaper) = (log(), Reports::collect(), Reaper::new());
        reaper.close();
        let guard = reaper.adopt(checked(&log));
        cancel_after(polls, guard.async_drop_via(Resource::finish));
        reports.expect_one(if polls == 0 { FORGOT } else { CANCELLED });
        assert_eq!((log.finishes().1, log.counts()), (0, (0, 0, 1)));
        block_on(reaper.async_drop()).unwrap();
        reports.expect_none();
    }
}

#[test]
fn an_abandoned_ending_was_named_and_is_silent() {
    let (log, reports, mut reaper) = (log(), Reports::collect(), Reaper::new());
    let mut ending = Box::pin(reaper.adopt(checked(&log)).async_drop_via(Resource::finish));
    assert!(ending.as_mut().now_or_never().is_none());
    assert_eq!(reaper.abandon().abandoned.len(), 1);
    drop(ending);
    reports.expect_none();
    assert_eq!((log.finishes(), log.counts()), ((1, 0), (0, 0, 1)));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn the_reaper_lists_it_until_its_end() {
    let log = log();
    let ((), report) = under(|reaper| {
        let stages = || reaper.pending().iter().map(|pending| pending.stage).collect::<Vec<_>>();
        let mut ending = Box::pin(reaper.adopt(checked(&log)).async_drop_via(Resource::finish));
        assert_eq!(stages(), [Stage::Alive]);
        assert!(ending.as_mut().now_or_never().is_none());
        assert_eq!(stages(), [Stage::Cleaning]);
        drop(ending);
        assert_eq!(stages(), [Stage::Orphaned]);
    });
    assert_eq!((log.finishes(), report.cleaned), ((1, 1), 1));
}

#[test]
fn resumed_its_output_is_dropped_and_panic_reported() {
    let log = log();
    let ((), report) = under(|reaper| {
        let guard = reaper.adopt(checked(&log));
        cancel_after(
            1,
            guard.async_drop_via(async |resource: Resource| {
                wait(1).await;
                resource
            }),
        );
        let failing = Resource::new(&log, 1, Ending::Panic);
        let guard = reaper.adopt(AsyncDropGuard::new(failing));
        cancel_after(1, guard.async_drop_via(Resource::finish));
        let report = block_on(reaper.drain());
        assert_eq!((report.cleaned, report.failures.len()), (2, 1));
        assert_eq!(report.failures[0].message, "panicked: finish went wrong");
    });
    assert_eq!((log.counts(), report.cleaned), ((0, 0, 2), 0));
}

#[test]
fn every_end_of_the_owner_ends_it_once() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    explore("the ending runs the cleanup", &|world| {
        let ends = Arc::clone(&ends);
        async move {
            let (one, two) = (world.checked(1, Ending::Ok), world.checked(2, Ending::Err));
            let (one, two) = (world.reaper.adopt(one), world.reaper.adopt(two));
            scope!((one, two), async |one, two| {
                world.steps(1).await;
                // Counted as a cleanup, so that the search finds one that is lost or runs twice.
                let by_hand = move |mut value: Resource| async move {
                    let result = value.async_drop_impl().await;
                    ends.lock().unwrap().push(result.is_ok());
                };
                let one = one.async_drop_via(by_hand).await.0;
                world.steps(1).await;
                ((one, two.async_drop().await.proof), ())
            })
            .await;
        }
        .boxed()
    });
    assert!(ends.lock().unwrap().iter().all(|is_ok| *is_ok));
}
