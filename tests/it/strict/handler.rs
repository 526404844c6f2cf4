//! A service handler in the form that is strict and safe: acquire, scope, `try_or_drop!`, `async_drop`.

use super::*;

async fn handler(reaper: ReaperHandle, log: Arc<Log>, fails: bool) -> Result<u32, Failed> {
    let resource = resource(&log);
    let guard = reaper
        .acquire(async move {
            wait(1).await;
            Ok::<_, Failed>(AsyncDropGuard::new(resource))
        })
        .await?;
    scope!(guard, async |guard| {
        wait(1).await;
        guard.touch();
        let answer = if fails { Err(Failed) } else { Ok(7) };
        let answer = try_or_drop!(guard, answer);
        wait(1).await;
        guard.async_drop().await.after(Ok(answer))
    })
    .await
}

#[test]
fn a_handler_cancelled_anywhere_cleans_up_once() {
    for fails in [false, true] {
        let needed = run(async {
            let mut reaper = Reaper::new();
            let result = handler(reaper.handle(), Arc::default(), fails).await;
            assert_eq!(result, if fails { Err(Failed) } else { Ok(7) });
            reaper.async_drop().await.unwrap();
        });
        for polls in 0..needed.0 - 1 {
            let (log, reports) = (Arc::<Log>::default(), Reports::collect());
            let mut reaper = Reaper::new();
            cancel_after(polls, handler(reaper.handle(), log.clone(), fails));
            let report = block_on(reaper.drain());
            assert!(report.failures.is_empty());
            let times = usize::from(polls > 0);
            assert_eq!(log.counts(), (times, times, times), "{polls} polls, fails: {fails}");
            block_on(reaper.async_drop()).unwrap();
            reports.expect_none();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spawned_handler_is_send() {
    let (log, mut reaper) = (log(), Reaper::new());
    let result = tokio::spawn(handler(reaper.handle(), log.clone(), false)).await.unwrap();
    assert_eq!((result, log.counts()), (Ok(7), (1, 1, 1)));
    reaper.async_drop().await.unwrap();
}

#[test]
fn an_aborted_handler_is_cleaned_up_once() {
    for yields in 0..8 {
        let (log, mut reaper) = (log(), Reaper::new());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let running = tokio::spawn(reaper.run());
            let task = tokio::spawn(handler(reaper.handle(), log.clone(), yields % 2 == 0));
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            task.abort();
            let _aborted_or_ended = task.await;
            reaper.async_drop().await.unwrap();
            running.await.unwrap();
        });
        let (begun, ended, dropped) = log.counts();
        assert!(begun == ended && ended == dropped && ended <= 1, "aborted after {yields} yields");
    }
}
