//! A scope over one adopted guard.

use super::*;

#[test]
fn a_helper_takes_guards_of_either_backing() {
    let log = log();
    block_on(leaks(async |reaper| {
        scope!(reaper.adopt(checked(&log)), async |guard| (log_out(guard).await, ())).await;
        scope!(live(&log), async |guard| (log_out(guard).await, ())).await;
        assert_eq!(log.counts(), (2, 2, 2));
    }));
}

#[test]
fn a_done_guard_panics_when_it_enters() {
    let (log, line) = (log(), line!() + 3);
    let enter = |through_macro: bool| {
        let ((), _) = under(|reaper| {
            let mut guard = reaper.adopt(AsyncDropGuard::new(resource(&log)));
            block_on(guard.async_drop()).unwrap();
            let text = panic_of(|| {
                if through_macro {
                    drop(scope!(guard, async |guard| (log_out(guard).await, ())));
                } else {
                    drop(scope(guard, async |guard| (log_out(guard).await, ())));
                }
            });
            let beginning = format!("used Resource {BEGUN}{}", created_at(file!(), line));
            assert!(text.starts_with(&beginning), "{text}");
            expect_drained(reaper);
        });
    };
    enter(true);
    enter(false);
    assert_eq!(log.counts(), (2, 2, 2));
}

#[test]
fn a_guard_in_cleanup_cannot_enter() {
    let log = log();
    let ((), report) = under(|reaper| {
        let guard = begun(reaper, &log);
        let text = panic_of(|| scope(guard, async |guard| (log_out(guard).await, ())));
        assert!(text.starts_with(&format!("used Resource {BEGUN}")), "{text}");
    });
    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1));
}

#[test]
fn every_end_of_the_owner_cleans_up_once() {
    for ending in [Ending::Ok, Ending::Err] {
        for waits in 0..3 {
            let adopt = move |world: &World| world.reaper.adopt(world.checked(waits, ending));
            explore(&format!("function: {waits}, {ending:?}"), &|world| {
                async move {
                    scope(adopt(&world), async |guard| {
                        world.steps(2).await;
                        guard.touch();
                        let outcome = guard.async_drop().await;
                        world.steps(1).await;
                        (outcome.proof, ())
                    })
                    .await;
                }
                .boxed()
            });
            explore(&format!("macro: {waits}, {ending:?}"), &|world| {
                async move {
                    let used = scope!(adopt(&world), async |mut guard| {
                        world.steps(1).await;
                        guard.waits += 0;
                        let used = try_or_drop!(guard, Ok::<_, Failed>(guard.touch()));
                        world.steps(1).await;
                        guard.async_drop().await.after(Ok::<_, Failed>(used))
                    });
                    assert_eq!(used.await.is_ok(), ending == Ending::Ok);
                }
                .boxed()
            });
        }
    }
}

#[test]
fn scopes_nest_and_each_guard_is_cleaned_once() {
    explore("nested", &|world| {
        async move {
            let outer = world.reaper.adopt(world.checked(2, Ending::Ok));
            scope!(outer, async |outer| {
                let inner = world.reaper.adopt(world.checked(1, Ending::Err));
                let result = scope!(inner, async |inner| {
                    world.steps(1).await;
                    outer.touch();
                    inner.async_drop().await.after(Ok::<_, Failed>(()))
                })
                .await;
                world.steps(1).await;
                outer.async_drop().await.after(result)
            })
            .await
            .unwrap_err();
        }
        .boxed()
    });
}

#[test]
fn the_reaper_lists_the_guard_in_use() {
    let log = log();
    let ((), report) = under(|reaper| {
        let stages = || reaper.pending().iter().map(|pending| pending.stage).collect::<Vec<_>>();
        let guard = reaper.adopt(checked(&log));
        block_on(scope!(guard, async |guard| {
            assert_eq!(stages(), [Stage::Alive]);
            let mut cleanup = Box::pin(guard.async_drop());
            assert!(cleanup.as_mut().now_or_never().is_none());
            assert_eq!(stages(), [Stage::Cleaning]);
            let outcome = cleanup.await;
            expect_drained(reaper);
            (outcome.proof, ())
        }));
        let guard = reaper.adopt(checked(&log));
        cancel_after(2, scope!(guard, async |guard| (log_out(guard).await, ())));
        assert_eq!(stages(), [Stage::Orphaned]);
    });
    assert_eq!((log.counts(), report.cleaned), ((2, 2, 2), 1));
}

#[test]
fn without_its_reaper_a_cancelled_scope_is_reported() {
    let needed = 1 + 1 + WAITS;
    for polls in 0..needed {
        let (log, reports, mut reaper) = (log(), Reports::collect(), Reaper::new());
        reaper.close();
        let guard = reaper.adopt(checked(&log));
        cancel_after(polls, scope!(guard, async |guard| (log_out(guard).await, ())));
        let in_cleanup = polls > 1;
        reports.expect_one(if in_cleanup { CANCELLED } else { FORGOT });
        assert_eq!(log.counts(), (usize::from(in_cleanup), 0, 1));
        block_on(reaper.async_drop()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_forms_run_in_a_spawned_task() {
    let log = log();
    leaks(async |reaper| {
        let guard = reaper.adopt(checked(&log));
        tokio::spawn(scope(guard, async |guard| (log_out(guard).await, ()))).await.unwrap();
        let guard = reaper.adopt(checked(&log));
        let body = scope!(guard, async |guard| {
            tokio::task::yield_now().await;
            (log_out(guard).await, ())
        });
        tokio::spawn(body).await.unwrap();
        assert_eq!(log.counts(), (2, 2, 2));
    })
    .await;
}
