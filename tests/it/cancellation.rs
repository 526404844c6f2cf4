//! Every owner is cancelled at every point, and nothing is lost.

use std::sync::Arc;
use std::time::Duration;

use crate::support::world::{Run, World, explore, silence_expected_panics};
use crate::support::{Ending, Failed, Log, Resource, block_on, wait};
use async_trait::async_trait;
use futures::FutureExt;
use livedrop::collections::{AsyncDropHashMap, AsyncDropStack, AsyncDropVec};
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};
use livedrop::testing::leaks;
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, bracket, with_async_drop};

type Scenario = Box<dyn Fn(Arc<World>) -> Run>;

fn scenario<F>(run: impl Fn(Arc<World>) -> F + 'static) -> Scenario
where
    F: Future<Output = ()> + Send + 'static,
{
    Box::new(move |world| run(world).boxed())
}

/// The cleanup may fail. These tests do not check its result.
fn ignore<E>(_: Result<(), E>) {}

/// Holds another adopted guard, which its cleanup either cleans up or leaves to the reaper.
struct Nested {
    outer: Resource,
    inner: AsyncDropGuard<Resource, Adopted>,
}

#[async_trait]
impl AsyncDrop for Nested {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        let inner = self.inner.async_drop().await;
        self.outer.async_drop_impl().await.and(inner)
    }
}

/// Its cleanup opens another resource, and cleans it up with `with_async_drop`.
struct Recursive {
    world: Arc<World>,
    resource: Resource,
}

#[async_trait]
impl AsyncDrop for Recursive {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        let log_file = self.world.checked(2, Ending::Ok);
        let log_file = self.world.reaper.adopt(log_file);
        with_async_drop(log_file, async |_| {
            wait(1).await;
            self.resource.async_drop_impl().await
        })
        .await
    }
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn scenarios() -> Vec<(String, Scenario)> {
    let mut all: Vec<(String, Scenario)> = Vec::new();
    let mut add = |name: String, scenario| all.push((name, scenario));
    for ending in [Ending::Ok, Ending::Err] {
        for body in 0..4 {
            for cleanup in 0..4 {
                let shape = format!("{body} + {cleanup}, {ending:?}");
                add(
                    format!("by hand: {shape}"),
                    scenario(move |world| async move {
                        let mut guard = world.reaper.adopt(world.checked(cleanup, ending));
                        world.steps(body).await;
                        ignore(guard.async_drop().await);
                    }),
                );
                add(
                    format!("with_async_drop: {shape}"),
                    scenario(move |world| async move {
                        let guard = world.reaper.adopt(world.checked(cleanup, ending));
                        let body = with_async_drop(guard, async |_| {
                            world.steps(body).await;
                            Ok::<(), Failed>(())
                        });
                        ignore(body.await);
                    }),
                );
                add(
                    format!("with_async_drop!: {shape}"),
                    scenario(move |world| async move {
                        let a = world.reaper.adopt(world.checked(cleanup, ending));
                        let b = world.reaper.adopt(world.checked(1, Ending::Ok));
                        let result: Result<(), Failed> = with_async_drop!(a, b, {
                            world.steps(body).await;
                            Ok(())
                        });
                        ignore(result);
                    }),
                );
                add(
                    format!("acquire: {shape}"),
                    scenario(move |world| async move {
                        let opened = Arc::clone(&world);
                        let open = async move {
                            wait(body).await;
                            let guard = opened.checked(cleanup, ending);
                            wait(1).await;
                            // A guard that is made inside the opening is not lost either.
                            Ok::<_, Failed>(guard)
                        };
                        let mut guard = world.reaper.acquire(open).await.expect("opens");
                        world.steps(1).await;
                        ignore(guard.async_drop().await);
                    }),
                );
                add(
                    format!("nested: {shape}"),
                    scenario(move |world| async move {
                        let inner = world.reaper.adopt(world.checked(cleanup, ending));
                        let outer = world.resource(1, Ending::Ok);
                        let nested = AsyncDropGuard::new(Nested { outer, inner });
                        let mut nested = world.reaper.adopt(nested);
                        world.steps(body).await;
                        ignore(nested.async_drop().await);
                    }),
                );
                add(
                    format!("cleanup with with_async_drop: {shape}"),
                    scenario(move |world| async move {
                        let resource = world.resource(cleanup, ending);
                        let recursive = Recursive { world: Arc::clone(&world), resource };
                        let guard = world.reaper.adopt(AsyncDropGuard::live(recursive));
                        let ((), cleaned) = bracket(guard, async |_| world.steps(body).await).await;
                        ignore(cleaned);
                    }),
                );
                add(
                    format!("Arc: {shape}"),
                    scenario(move |world| async move {
                        let guard = world.reaper.adopt(world.checked(cleanup, ending));
                        let mut first = AsyncDropArc::new(guard);
                        let mut second = AsyncDropArc::clone(&first);
                        world.steps(body).await;
                        ignore(first.async_drop().await);
                        world.steps(1).await;
                        ignore(second.async_drop().await);
                    }),
                );
                add(
                    format!("Mutex in an Arc: {shape}"),
                    scenario(move |world| async move {
                        let guard = world.reaper.adopt(world.checked(cleanup, ending));
                        let shared = AsyncDropArc::new(AsyncDropMutex::new(guard));
                        let other = AsyncDropArc::clone(&shared);
                        let cleaned: Result<(), Failed> = with_async_drop!(shared, other, {
                            let locked = shared.lock().await;
                            world.steps(body).await;
                            drop(locked);
                            other.lock().await.touch();
                            Ok(())
                        });
                        ignore(cleaned);
                    }),
                );
                add(
                    format!("map, vector and stack: {shape}"),
                    scenario(move |world| async move {
                        let mut map = AsyncDropHashMap::adopted(&world.reaper);
                        let mut vec = AsyncDropVec::adopted(&world.reaper);
                        let mut stack = AsyncDropStack::adopted(&world.reaper);
                        let make = |ending| world.reaper.adopt(world.checked(cleanup, ending));
                        assert!(map.insert(1, make(ending)).is_none());
                        assert!(map.insert(2, make(Ending::Ok)).is_none());
                        vec.push(make(ending));
                        world.steps(body).await;
                        stack.push(make(ending));
                        stack.push(make(Ending::Ok));
                        ignore(map.async_drop().await);
                        ignore(vec.async_drop().await);
                        ignore(stack.async_drop().await);
                    }),
                );
                add(
                    format!("several calls: {shape}"),
                    scenario(move |world| async move {
                        let mut guard = world.reaper.adopt(world.checked(cleanup, ending));
                        world.steps(body).await;
                        for _ in 0..=cleanup {
                            let mut call = Box::pin(guard.async_drop());
                            if (&mut call).now_or_never().is_some() {
                                break;
                            }
                            wait(1).await;
                        }
                    }),
                );
            }
        }
    }
    all
}

#[test]
fn no_owner_loses_a_cleanup_cancelled_anywhere() {
    silence_expected_panics();
    let mut points = 0;
    let scenarios = scenarios();
    for (name, scenario) in &scenarios {
        points += explore(name, scenario);
    }
    println!("{} scenarios, {points} pairs of a scenario and a point, 0 lost", scenarios.len());
    assert!(points >= 1_000, "{points}");
}

/// A `select` that drops the owner after this many polls.
#[test]
fn a_lost_select_loses_nothing() {
    for polls in 0..8 {
        let log = Arc::<Log>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(leaks(async |reaper| {
            let mut guard = reaper.adopt(AsyncDropGuard::new(Resource::plain(&log)));
            tokio::select! {
                biased;
                () = async { wait(3).await; guard.async_drop().await.unwrap() } => {}
                () = wait(polls) => {}
            }
        }));
        assert_eq!(log.counts(), (1, 1, 1), "after {polls} polls");
    }
}

/// Sleeps in its cleanup, on tokio's paused clock.
struct Slow(Arc<Log>);

#[async_trait]
impl AsyncDrop for Slow {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        let mut inner = Resource::new(&self.0, 0, Ending::Ok);
        tokio::time::sleep(Duration::from_millis(10)).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        inner.async_drop_impl().await
    }
}

#[test]
fn a_timeout_loses_nothing() {
    for deadline in (5..50).step_by(10) {
        let log = Arc::<Log>::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(leaks(async |reaper| {
            let guard = reaper.adopt(AsyncDropGuard::new(Slow(Arc::clone(&log))));
            let owner = with_async_drop(guard, async |_| {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok::<_, Failed>(())
            });
            let _ = tokio::time::timeout(Duration::from_millis(deadline), owner).await;
        }));
        assert_eq!(log.counts(), (1, 1, 1), "with a deadline of {deadline} ms");
    }
}

#[test]
fn an_aborted_task_loses_nothing() {
    let mut aborted = 0;
    for yields in 0..10 {
        let log = Arc::<Log>::default();
        let mut builder = tokio::runtime::Builder::new_current_thread();
        // One poll of the task after each yield.
        let runtime = builder.event_interval(1).build().unwrap();
        runtime.block_on(leaks(async |reaper| {
            let guard = reaper.adopt(AsyncDropGuard::new(Resource::plain(&log)));
            let owner = tokio::spawn(with_async_drop(guard, async |_| {
                wait(3).await;
                Ok::<_, Failed>(())
            }));
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            owner.abort();
            let ended = owner.await;
            aborted += usize::from(ended.is_err());
            assert!(ended.is_ok() || ended.unwrap_err().is_cancelled());
        }));
        assert_eq!(log.counts(), (1, 1, 1), "aborted after {yields} yields");
    }
    assert!(3 < aborted && aborted < 10, "{aborted}");
}

#[test]
fn a_runtime_that_is_shut_down_loses_nothing() {
    let log = Arc::<Log>::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    block_on(leaks(async |reaper| {
        for _ in 0..20 {
            let guard = reaper.adopt(AsyncDropGuard::live(Resource::plain(&log)));
            runtime.spawn(with_async_drop(guard, async |_| {
                std::future::pending::<()>().await;
                Ok::<_, Failed>(())
            }));
        }
        drop(runtime);
    }));
    assert_eq!(log.counts(), (20, 20, 20));
}
