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
        let logs = RefCell::new(Vec::new());
        let result = block_on(at_every_poll(async |reaper| {
            let log = Arc::<Log>::default();
            logs.borrow_mut().push(Arc::clone(&log));
            handler(reaper, log, fails).await
        }));
        assert_eq!(result, if fails { Err(Failed) } else { Ok(7) });
        for (number, log) in logs.into_inner().iter().enumerate() {
            assert_eq!(log.counts(), (1, 1, 1), "{} polls, fails: {fails}", number + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spawned_handler_is_send() {
    let log = log();
    leaks(async |reaper| {
        let result = tokio::spawn(handler(reaper, log.clone(), false)).await.unwrap();
        assert_eq!((result, log.counts()), (Ok(7), (1, 1, 1)));
    })
    .await;
}

#[test]
fn an_aborted_handler_is_cleaned_up_once() {
    let mut aborted = 0;
    for yields in 0..8 {
        let log = log();
        let mut builder = tokio::runtime::Builder::new_current_thread();
        // One poll of the task after each yield.
        let runtime = builder.event_interval(1).build().unwrap();
        runtime.block_on(leaks(async |reaper| {
            let task = tokio::spawn(handler(reaper, log.clone(), yields % 2 == 0));
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            task.abort();
            aborted += usize::from(task.await.is_err());
        }));
        let (begun, ended, dropped) = log.counts();
        assert!(begun == ended && ended == dropped && ended <= 1, "aborted after {yields} yields");
    }
    assert!(3 < aborted && aborted < 8, "{aborted}");
}
