//! `with_boxed_cleanup`: a guard of a foreign value whose type can be named.

use livedrop::deferred::BoxedCleanup;
use livedrop::{Deferred, with_async_drop};

use super::*;

type Foreign = Deferred<Resource, BoxedCleanup<Resource, Failed>>;

/// Its cleanup is counted as `finishes`.
fn foreign(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Foreign> {
    let resource = Resource::new(log, WAITS, ending);
    AsyncDropGuard::with_boxed_cleanup(resource, Resource::finish)
}

/// A struct that names the type of its guard.
#[derive(livedrop::AsyncDrop)]
struct Service<S: livedrop::state::State + livedrop::state::Cleanable<Foreign> = livedrop::Checked>
{
    client: AsyncDropGuard<Foreign, S>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_use_runs_in_a_spawned_task() {
    let log = log();
    leaks(async |reaper| {
        let checked = || foreign(&log, Ending::Ok);
        let adopted = || reaper.adopt(checked());
        let live = || AsyncDropGuard::into_live(checked()).ok().unwrap();
        let guards = (checked(), adopted());
        tokio::spawn(async {
            let (mut a, mut b) = guards;
            assert_eq!((a.touch(), b.touch()), (WAITS, WAITS));
            tokio::task::yield_now().await;
            a.async_drop().await.unwrap();
            b.async_drop().await.unwrap();
        })
        .await
        .unwrap();
        let guards = (checked(), adopted(), live());
        tokio::spawn(async {
            let body = async |resource: &mut Foreign| {
                tokio::task::yield_now().await;
                Ok::<_, Failed>(resource.touch())
            };
            assert_eq!(with_async_drop(guards.0, body).await, Ok(WAITS));
            assert_eq!(with_async_drop(guards.1, body).await, Ok(WAITS));
            assert_eq!(with_async_drop(guards.2, body).await, Ok(WAITS));
        })
        .await
        .unwrap();
        let (a, b, c) = (checked(), adopted(), live());
        tokio::spawn(async {
            let waits: Result<_, Failed> = with_async_drop!(a, b, c, {
                tokio::task::yield_now().await;
                Ok(a.touch() + b.touch() + c.touch())
            });
            assert_eq!(waits, Ok(3 * WAITS));
        })
        .await
        .unwrap();
        let (a, b) = (adopted(), live());
        tokio::spawn(async {
            let waits: Result<_, Failed> = scope!(a, async |guard| {
                tokio::task::yield_now().await;
                let waits = try_or_drop!(guard, Ok::<_, Failed>(guard.touch()));
                guard.async_drop().await.after(Ok(waits))
            })
            .await;
            assert_eq!(waits, Ok(WAITS));
            scope(b, async |guard| {
                tokio::task::yield_now().await;
                guard.async_drop().await.after(Ok::<_, Failed>(()))
            })
            .await
            .unwrap();
        })
        .await
        .unwrap();
        let (a, b) = (adopted(), live());
        tokio::spawn(async {
            scope!((a, b), async |a, b| async_drop_all((a, b)).await.after(Ok::<_, Errors>(())))
                .await
        })
        .await
        .unwrap()
        .unwrap();
        assert_eq!((log.finishes(), log.counts()), ((12, 12), (0, 0, 12)));
    })
    .await;
}

#[test]
fn adopted_it_is_cleaned_once_when_cancelled() {
    for polls in 0..2 + WAITS {
        let log = log();
        let ((), report) = under(|reaper| {
            let guard = reaper.adopt(foreign(&log, Ending::Ok));
            cancel_after(
                polls,
                scope!(guard, async |guard| {
                    wait(1).await;
                    guard.async_drop().await.after(Ok::<_, Failed>(()))
                }),
            );
        });
        assert_eq!((log.finishes(), log.counts()), ((1, 1), (0, 0, 1)), "after {polls} polls");
        assert_eq!(report.cleaned, 1);
    }
}

#[test]
fn checked_it_is_resumed_and_runs_once() {
    for polls in 0..=WAITS {
        let (log, reports) = (log(), Reports::collect());
        let mut guard = foreign(&log, Ending::Err);
        cancel_after(polls, guard.async_drop());
        assert_eq!(block_on(guard.async_drop()), Err(Failed));
        assert_eq!((log.finishes(), log.counts()), ((1, 1), (0, 0, 1)));
        drop(guard);
        reports.expect_none();
    }
}

#[test]
fn a_cleanup_may_return_nothing() {
    let log = log();
    let counted = Arc::clone(&log);
    let mut guard: AsyncDropGuard<Deferred<u32, BoxedCleanup<u32, std::convert::Infallible>>> =
        AsyncDropGuard::with_boxed_cleanup(2, move |waits| async move {
            Resource::new(&counted, usize::try_from(waits).unwrap(), Ending::Ok)
                .finish()
                .await
                .unwrap();
        });
    block_on(guard.async_drop()).unwrap();
    assert_eq!(log.finishes(), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_names_its_type() {
    let log = log();
    leaks(async |reaper| {
        let service = AsyncDropGuard::new(Service { client: foreign(&log, Ending::Ok) });
        let task = with_async_drop(service, async |service| {
            tokio::task::yield_now().await;
            Ok::<_, <Foreign as livedrop::AsyncDrop>::Error>(service.client.touch())
        });
        assert_eq!(tokio::spawn(task).await.unwrap(), Ok(WAITS));
        let client = reaper.adopt(foreign(&log, Ending::Ok));
        let service = AsyncDropGuard::new(Service::<Adopted> { client });
        drop(AsyncDropGuard::into_inner_without_cleanup(service));
    })
    .await;
    assert_eq!((log.finishes(), log.counts()), ((2, 2), (0, 0, 2)));
}
