//! A constructor that takes the body: its guard cannot be forgotten before it enters the scope.

use super::*;

/// Opens a resource for `body`, which must clean it up.
async fn with_resource<R, B>(reaper: &ReaperHandle, open: Resource, body: B) -> Result<R, Failed>
where
    B: for<'scope> AsyncFnOnce(
        ScopedGuard<'scope, Resource, Adopted>,
    ) -> (Proof<'scope, Resource>, Result<R, Failed>),
{
    let open = async move {
        let guard = AsyncDropGuard::new(open);
        wait(1).await;
        Ok::<_, Failed>(guard)
    };
    scope(reaper.acquire(open).await?, body).await
}

/// The same, with and without a reaper.
async fn with_guard<S, R, B>(guard: AsyncDropGuard<Resource, S>, body: B) -> R
where
    S: EntersScope<Resource>,
    B: for<'scope> AsyncFnOnce(
        ScopedGuard<'scope, Resource, S::Backing>,
    ) -> (Proof<'scope, Resource>, R),
{
    scope(guard, body).await
}

#[test]
fn every_end_of_its_caller_cleans_up_once() {
    for ending in [Ending::Ok, Ending::Err] {
        explore(&format!("{ending:?}"), &|world| {
            async move {
                let guard = world.reaper.adopt(world.checked(2, ending));
                let result = with_guard(guard, async |guard| {
                    world.steps(1).await;
                    let waits = try_or_drop!(guard, Ok::<_, Failed>(guard.touch()));
                    guard.async_drop().await.after(Ok::<_, Failed>(waits))
                });
                assert_eq!(result.await.is_ok(), ending == Ending::Ok);
            }
            .boxed()
        });
    }
}

#[test]
fn cancelled_while_it_opens_it_cleans_up_once() {
    let make = |reaper: &Reaper, log: &Arc<Log>| {
        let (reaper, resource) = (reaper.handle(), resource(log));
        async move {
            with_resource(&reaper, resource, async |guard| {
                wait(1).await;
                let waits = Ok(guard.touch());
                guard.async_drop().await.after(waits)
            })
            .await
        }
    };
    let ((needed, result), _) = under(|reaper| run(make(reaper, &log())));
    assert_eq!((needed, result), (3 + WAITS, Ok(WAITS)));
    for polls in 1..needed {
        let log = log();
        let ((), report) = under(|reaper| cancel_after(polls, make(reaper, &log)));
        assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1), "after {polls} polls");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_runs_in_a_spawned_task() {
    let log = log();
    leaks(async |reaper| {
        let opened = resource(&log);
        tokio::spawn(async move {
            with_resource(&reaper, opened, async |guard| {
                tokio::task::yield_now().await;
                guard.async_drop().await.after(Ok(()))
            })
            .await
        })
        .await
        .unwrap()
        .unwrap();
        let guard = live(&log);
        tokio::spawn(async move { with_guard(guard, async |it| (log_out(it).await, ())).await })
            .await
            .unwrap();
        assert_eq!(log.counts(), (2, 2, 2));
    })
    .await;
}
