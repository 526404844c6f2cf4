//! Helpers around the adopted guard of a scope. They give it back with its brand, so it can end the scope.

use livedrop::collections::{AsyncDropHashMap, AsyncDropResult, AsyncDropVec};
#[cfg(feature = "tokio")]
use livedrop::sync::AsyncDropTokioMutex;
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};

use super::*;

fn adopt(world: &World, waits: usize, ending: Ending) -> AdoptedGuard {
    world.reaper.adopt(world.checked(waits, ending))
}

/// Every end of the owner cleans up once, whether the cleanup succeeds or fails.
macro_rules! cleaned_once {
    (|$world:ident, $guard:ident| $body:block) => {
        for ending in [Ending::Ok, Ending::Err] {
            explore(&format!("{ending:?}"), &|$world| {
                async move {
                    scope!(adopt(&$world, 2, ending), async |$guard| $body).await;
                }
                .boxed()
            });
        }
    };
}

#[test]
fn a_shared_guard_is_cleaned_once() {
    cleaned_once!(|world, guard| {
        let first = AsyncDropArc::new(guard);
        let second = AsyncDropArc::clone(&first);
        world.steps(1).await;
        let weak = AsyncDropArc::downgrade(&second);
        first.touch();
        second.async_drop().await.result.unwrap();
        world.steps(1).await;
        let third = weak.upgrade().expect("there is one handle");
        let Err(first) = AsyncDropArc::into_inner(first) else { panic!("there are two") };
        third.async_drop().await.result.unwrap();
        let Ok(guard) = AsyncDropArc::into_inner(first) else { panic!("there is one") };
        world.steps(1).await;
        (guard.async_drop().await.proof, ())
    });
}

#[test]
fn a_guard_in_a_mutex_is_cleaned_once() {
    cleaned_once!(|world, guard| {
        let mutex = AsyncDropMutex::new(guard);
        {
            let mut locked = mutex.lock().await;
            locked.waits += 0;
            world.steps(1).await;
        }
        let guard = AsyncDropMutex::into_inner(mutex);
        world.steps(1).await;
        (guard.async_drop().await.proof, ())
    });
}

#[cfg(feature = "tokio")]
#[test]
fn guard_in_a_tokio_mutex_is_cleaned_once() {
    cleaned_once!(|world, guard| {
        let mutex = AsyncDropTokioMutex::new(guard);
        {
            let locked = mutex.lock().await;
            locked.touch();
            world.steps(1).await;
        }
        let guard = AsyncDropTokioMutex::into_inner(mutex);
        world.steps(1).await;
        (guard.async_drop().await.proof, ())
    });
}

#[test]
fn a_shared_mutex_is_cleaned_once() {
    cleaned_once!(|world, guard| {
        let first = AsyncDropArc::new(AsyncDropMutex::new(guard));
        let second = AsyncDropArc::clone(&first);
        second.lock().await.waits += 0;
        world.steps(1).await;
        drop(second);
        let Ok(mutex) = AsyncDropArc::into_inner(first) else { panic!("the only handle") };
        world.steps(1).await;
        (AsyncDropMutex::into_inner(mutex).async_drop().await.proof, ())
    });
}

#[test]
fn a_guard_in_a_result_is_cleaned_once() {
    cleaned_once!(|world, guard| {
        let result = AsyncDropResult::new(Ok::<_, Failed>(guard));
        world.steps(1).await;
        result.ok().unwrap().touch();
        let guard = AsyncDropResult::into_inner(result).unwrap();
        world.steps(1).await;
        (guard.async_drop().await.proof, ())
    });
}

#[test]
fn a_guard_in_a_vector_is_cleaned_once() {
    cleaned_once!(|world, guard| {
        let mut guards = AsyncDropVec::live();
        guards.push(guard);
        world.steps(1).await;
        guards[0].touch();
        let guard = guards.pop().unwrap();
        world.steps(1).await;
        guards.async_drop().await.result.unwrap();
        (guard.async_drop().await.proof, ())
    });
}

#[test]
fn a_guard_in_a_map_is_cleaned_once() {
    cleaned_once!(|world, guard| {
        let mut guards = AsyncDropHashMap::live();
        assert!(guards.insert("guard", guard).is_none());
        world.steps(1).await;
        guards.get("guard").unwrap().touch();
        let guard = guards.remove("guard").unwrap();
        world.steps(1).await;
        guards.async_drop().await.result.unwrap();
        (guard.async_drop().await.proof, ())
    });
}

#[test]
fn a_dropped_container_leaves_it_to_the_reaper() {
    let log = log();
    let ((), report) = under(|reaper| {
        for polls in 0..2 {
            let guard = reaper.adopt(checked(&log));
            cancel_after(
                polls,
                scope!(guard, async |guard| {
                    let mut guards = AsyncDropVec::live();
                    guards.push(guard);
                    wait(1).await;
                    (guards.pop().unwrap().async_drop().await.proof, ())
                }),
            );
            let guard = reaper.adopt(checked(&log));
            let text = panic_of(|| {
                block_on(scope!(guard, async |guard| {
                    let mut guards = AsyncDropHashMap::live();
                    assert!(guards.insert(polls, guard).is_none());
                    if guards.len() == 1 {
                        guards.async_drop().await.result.unwrap();
                        panic!("no guard is left to prove its cleanup");
                    }
                    (guards.remove(&polls).unwrap().async_drop().await.proof, ())
                }));
            });
            assert!(text.starts_with("no guard is left"), "{text}");
        }
    });
    assert_eq!((log.counts(), report.cleaned), ((4, 4, 4), 2));
}

#[test]
fn a_container_cancelled_in_its_cleanup_cleans_once() {
    for polls in 0..3 {
        let log = log();
        let ((), _) = under(|reaper| {
            let guards = (reaper.adopt(checked(&log)), reaper.adopt(checked(&log)));
            cancel_after(
                polls,
                scope!((guards.0, guards.1), async |a, b| {
                    let (mut one, mut other) = (AsyncDropVec::live(), AsyncDropHashMap::live());
                    one.push(a);
                    assert!(other.insert(1, b).is_none());
                    if one.len() == 1 {
                        one.async_drop().await.result.unwrap();
                        other.async_drop().await.result.unwrap();
                        unreachable!("cancelled before");
                    }
                    let (a, b) = (one.pop().unwrap(), other.remove(&1).unwrap());
                    async_drop_all((a, b)).await.after(Ok::<_, Errors>(()))
                }),
            );
        });
        assert_eq!(log.counts(), (2, 2, 2), "after {polls} polls");
    }
}

#[test]
fn a_wrapped_guard_may_enter_a_scope() {
    explore("shared", &|world| {
        async move {
            let shared = AsyncDropArc::new(adopt(&world, 2, Ending::Ok));
            scope!(shared, async |shared| {
                let second = AsyncDropArc::clone(&shared);
                world.steps(1).await;
                let mut second: AdoptedGuard<_> = second;
                second.async_drop().await.unwrap();
                shared.async_drop().await.after(Ok::<_, Failed>(()))
            })
            .await
            .unwrap();
        }
        .boxed()
    });
    explore("mutex", &|world| {
        async move {
            let mutex = AsyncDropMutex::new(adopt(&world, 2, Ending::Err));
            let result = scope!(mutex, async |mutex| {
                mutex.lock().await.touch();
                world.steps(1).await;
                mutex.async_drop().await.after(Ok::<_, Failed>(()))
            });
            assert_eq!(result.await, Err(Failed));
        }
        .boxed()
    });
    explore("vector", &|world| {
        async move {
            let mut guards = AsyncDropVec::adopted(&world.reaper);
            guards.push(adopt(&world, 2, Ending::Ok));
            guards.push(adopt(&world, 1, Ending::Ok));
            scope!(guards, async |guards| {
                guards[1].touch();
                world.steps(1).await;
                guards.async_drop().await.after(Ok::<_, CleanupErrors<Failed>>(()))
            })
            .await
            .unwrap();
        }
        .boxed()
    });
}
