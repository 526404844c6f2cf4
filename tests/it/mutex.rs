//! `AsyncDropMutex` and `AsyncDropTokioMutex`: a guarded value inside a lock.

use std::any::TypeId;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run, wait,
};
use allocation_counter::measure;
use livedrop::state::Scoped;
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};
use livedrop::testing::leaks;
use livedrop::{AsyncDrop, AsyncDropGuard, Checked, Live, scope};
use static_assertions::{assert_impl_all, assert_not_impl_any};

const WAITS: usize = 3;
const POLLS_OF_A_CLEANUP: usize = WAITS + 1;

fn log() -> Arc<Log> {
    Arc::default()
}

/// Tests for every mutex in both states: `guard(log, ending)` guards a value, `mutex` puts it inside a
/// lock, and `clean` awaits the cleanup of a guard.
macro_rules! for_every_mutex {
    ($($(#[$meta:meta])* fn $test:ident() $body:block)+) => {
        mod futures_lock {
            use livedrop::sync::AsyncDropMutex as Mutex;

            for_every_mutex!(@states "AsyncDropMutex", $($(#[$meta])* fn $test() $body)+);
        }

        #[cfg(feature = "tokio")]
        mod tokio_lock {
            use livedrop::sync::AsyncDropTokioMutex as Mutex;

            for_every_mutex!(@states "AsyncDropTokioMutex", $($(#[$meta])* fn $test() $body)+);
        }
    };
    (@states $name:literal, $($(#[$meta:meta])* fn $test:ident() $body:block)+) => {
        mod checked {
            use super::super::*;
            use super::Mutex;

            type S = Checked;
            const NAME: &str = concat!($name, "<Resource>");

            fn guard(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource, S> {
                AsyncDropGuard::new(Resource::new(log, WAITS, ending))
            }

            async fn clean<T: AsyncDrop>(mut guard: AsyncDropGuard<T, S>) -> Result<(), T::Error> {
                guard.async_drop().await
            }

            for_every_mutex!(@tests $name, $($(#[$meta])* fn $test() $body)+);
        }

        mod live {
            use super::super::*;
            use super::Mutex;

            type S = Live;
            const NAME: &str = concat!($name, "<Resource, Live>");

            fn guard(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource, S> {
                AsyncDropGuard::live(Resource::new(log, WAITS, ending))
            }

            async fn clean<T: AsyncDrop>(guard: AsyncDropGuard<T, S>) -> Result<(), T::Error> {
                guard.async_drop().await.result
            }

            for_every_mutex!(@tests $name, $($(#[$meta])* fn $test() $body)+);
        }
    };
    (@tests $name:literal, $($(#[$meta:meta])* fn $test:ident() $body:block)+) => {
        const TYPE: &str = $name;

        fn mutex(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Mutex<Resource, S>, S> {
            Mutex::new(guard(log, ending))
        }

        $(#[test] $(#[$meta])* fn $test() $body)+
    };
}

for_every_mutex! {
    fn lock_gives_the_value_and_cleanup_cleans_it() {
        let (log, reports) = (log(), Reports::collect());
        let mut mutex = mutex(&log, Ending::Ok);
        block_on(mutex.lock()).waits = 1;
        assert_eq!(block_on(mutex.lock()).touch(), 1);
        mutex.get_mut().waits = 2;
        assert_eq!(mutex.try_lock().unwrap().touch(), 2);
        assert_eq!(log.counts(), (0, 0, 0));
        assert_eq!(run(clean(mutex)), (2 + 1, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn a_lock_excludes_others_until_it_is_dropped() {
        let log = log();
        let mutex = mutex(&log, Ending::Ok);
        let held = block_on(mutex.lock());
        assert!(mutex.try_lock().is_none());
        let mut second = Box::pin(mutex.lock());
        assert!(run_once(second.as_mut()).is_pending());
        drop(held);
        let Poll::Ready(held) = run_once(second.as_mut()) else { panic!("it is unlocked") };
        drop(second);
        assert!(mutex.try_lock().is_none());
        drop(held);
        assert!(mutex.try_lock().is_some());
        block_on(clean(mutex)).unwrap();
    }

    fn a_cancelled_lock_locks_nothing() {
        let log = log();
        let mutex = mutex(&log, Ending::Ok);
        let held = block_on(mutex.lock());
        cancel_after(0, mutex.lock());
        cancel_after(2, mutex.lock());
        drop(held);
        assert!(mutex.try_lock().is_some());
        block_on(clean(mutex)).unwrap();
    }

    fn dropped_waiter_passes_the_lock_on() {
        let log = log();
        let mutex = mutex(&log, Ending::Ok);
        let held = block_on(mutex.lock());
        let mut second = Box::pin(mutex.lock());
        let mut third = Box::pin(mutex.lock());
        assert!(run_once(second.as_mut()).is_pending());
        assert!(run_once(third.as_mut()).is_pending());
        drop(held);
        drop(second);
        assert!(run_once(third.as_mut()).is_ready());
        drop(third);
        block_on(clean(mutex)).unwrap();
    }

    fn a_panic_does_not_poison_the_lock() {
        let log = log();
        let mutex = mutex(&log, Ending::Ok);
        let text = panic_of(|| {
            let held = block_on(mutex.lock());
            assert!(held.touch() != WAITS, "while locked");
        });
        assert_eq!(text, "while locked");
        assert_eq!(block_on(mutex.lock()).touch(), WAITS);
        block_on(clean(mutex)).unwrap();
    }

    fn waiters_get_the_lock_one_by_one() {
        let log = log();
        let mut mutex = mutex(&log, Ending::Ok);
        mutex.get_mut().waits = 0;
        let add = async || {
            for _ in 0..10 {
                let mut held = mutex.lock().await;
                let seen = held.waits;
                wait(2).await;
                held.waits = seen + 1;
            }
        };
        block_on(futures::future::join3(add(), add(), add()));
        assert_eq!(mutex.get_mut().waits, 30);
        block_on(clean(mutex)).unwrap();
    }

    fn a_failing_cleanup_is_an_err() {
        let (log, reports) = (log(), Reports::collect());
        assert_eq!(run(clean(mutex(&log, Ending::Err))), (POLLS_OF_A_CLEANUP, Err(Failed)));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn panicking_cleanup_propagates_and_has_ended() {
        let (log, reports) = (log(), Reports::collect());
        let mutex = mutex(&log, Ending::Panic);
        assert_eq!(panic_of(|| run(clean(mutex))), "cleanup went wrong");
        assert_eq!(log.counts(), (1, 0, 1));
        reports.expect_none();
    }

    /// An owner that cleans up in place can call the cleanup of a `Live` mutex again, too.
    fn cancelled_cleanup_keeps_value_and_lock_and_restarts() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let (log, reports) = (log(), Reports::collect());
            let mut owner = AsyncDropGuard::new(Some(mutex(&log, Ending::Err)));
            cancel_after(polls, owner.async_drop());
            assert_eq!(log.counts(), (usize::from(polls > 0), 0, 0));
            assert_eq!(block_on(owner.as_ref().unwrap().lock()).touch(), WAITS);
            assert_eq!(run(owner.async_drop()), (POLLS_OF_A_CLEANUP, Err(Failed)));
            assert_eq!(log.counts(), (1 + usize::from(polls > 0), 1, 1));
            drop(owner);
            reports.expect_none();
        }
    }

    fn value_can_be_taken_out_at_any_time() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let (log, reports) = (log(), Reports::collect());
            let mut owner = AsyncDropGuard::new(Some(mutex(&log, Ending::Ok)));
            cancel_after(polls, owner.async_drop());
            let guard: AsyncDropGuard<Resource, S> = Mutex::into_inner(owner.take().unwrap());
            assert_eq!(guard.touch(), WAITS);
            assert_eq!(run(clean(guard)), (POLLS_OF_A_CLEANUP, Ok(())));
            assert_eq!(log.counts(), (1 + usize::from(polls > 0), 1, 1));
            block_on(owner.async_drop()).unwrap();
            reports.expect_none();
        }
    }

    fn forgotten_mutex_reports_itself_and_then_the_value() {
        let log = log();
        let guard = guard(&log, Ending::Ok);
        let line = line!() + 1;
        let mutex = Mutex::new(guard);
        let reports = Reports::collect();
        drop(mutex);
        let texts = reports.take();
        assert_eq!(texts.len(), 2, "{texts:?}");
        let beginning =
            format!("Forgot to call async_drop on {NAME}{}", created_at(file!(), line));
        assert!(texts[0].starts_with(&beginning), "{texts:?}");
        assert!(texts[1].starts_with("Forgot to call async_drop on Resource"), "{texts:?}");
        assert_eq!(log.counts(), (0, 0, 1));
    }

    fn mutex_shows_the_value_or_the_word_locked() {
        let log = log();
        let mut mutex = mutex(&log, Ending::Ok);
        assert_eq!(format!("{mutex:?}"), format!("{TYPE}(a secret)"));
        let held = block_on(mutex.lock());
        assert_eq!(format!("{held:?} {mutex:?}"), format!("a secret {TYPE}(<locked>)"));
        drop(held);
        block_on(AsyncDrop::async_drop_impl(&mut *mutex)).unwrap();
        assert_eq!(format!("{mutex:?}"), format!("{TYPE}(<Resource: cleaned up>)"));
        assert_eq!(format!("{:?}", mutex.try_lock().unwrap()), "<Resource: cleaned up>");
        block_on(clean(mutex)).unwrap();
    }

    fn mutex_cleaned_up_inside_its_guard_is_unusable() {
        let (log, reports) = (log(), Reports::collect());
        let mut used = mutex(&log, Ending::Ok);
        let mutex = &mut *used;
        assert_eq!(run(AsyncDrop::async_drop_impl(mutex)), (POLLS_OF_A_CLEANUP, Ok(())));
        for text in [
            panic_of(|| mutex.get_mut().waits),
            panic_of(|| block_on(mutex.lock()).touch()),
            panic_of(|| mutex.try_lock().unwrap().waits = 1),
        ] {
            assert!(text.starts_with("used Resource after its cleanup"), "{text}");
        }
        assert_eq!(run(AsyncDrop::async_drop_impl(mutex)), (1, Ok(())));
        // `into_inner` returns a cleaned up `Checked` guard. There is no such `Live` guard.
        let inner = panic::catch_unwind(AssertUnwindSafe(|| Mutex::into_inner(used)));
        assert_eq!(inner.is_err(), TypeId::of::<S>() == TypeId::of::<Live>());
        drop(inner);
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn last_handle_cleans_up_the_shared_mutex_once() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let (log, reports) = (log(), Reports::collect());
            let first = AsyncDropArc::new(mutex(&log, Ending::Ok));
            let second = AsyncDropArc::clone(&first);
            let mut owner = AsyncDropGuard::new(Some(second));
            block_on(async {
                let mut held = first.lock().await;
                held.waits += 1;
                assert!(owner.as_ref().unwrap().try_lock().is_none());
                held.waits -= 1;
            });
            assert_eq!(run(clean(first)), (1, Ok(())));
            assert_eq!(block_on(owner.as_ref().unwrap().lock()).touch(), WAITS);
            cancel_after(polls, owner.async_drop());
            assert_eq!(run(owner.async_drop()), (POLLS_OF_A_CLEANUP, Ok(())));
            assert_eq!(log.counts(), (1 + usize::from(polls > 0), 1, 1));
            reports.expect_none();
        }
    }

    fn a_shared_mutex_gives_the_value_back() {
        let (log, reports) = (log(), Reports::collect());
        let first = AsyncDropArc::new(mutex(&log, Ending::Ok));
        let second = AsyncDropArc::clone(&first);
        assert_eq!(run(clean(second)), (1, Ok(())));
        let guard = Mutex::into_inner(AsyncDropArc::into_inner(first).unwrap());
        assert_eq!(run(clean(guard)), (POLLS_OF_A_CLEANUP, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn tasks_on_threads_share_the_mutex() {
        let (log, reports) = (log(), Reports::collect());
        let mut first = mutex(&log, Ending::Ok);
        first.get_mut().waits = 0;
        let first = AsyncDropArc::new(first);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let tasks = [(); 4].map(|()| {
            let handle = AsyncDropArc::clone(&first);
            runtime.spawn(async move {
                for _ in 0..100 {
                    let mut held = handle.lock().await;
                    let seen = held.waits;
                    tokio::task::yield_now().await;
                    held.waits = seen + 1;
                }
                clean(handle).await
            })
        });
        for task in tasks {
            assert_eq!(block_on(task).unwrap(), Ok(()));
        }
        assert_eq!(log.counts(), (0, 0, 0));
        assert_eq!(run(clean(first)), (400 + 1, Ok(())));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn scope_accepts_the_proof_of_the_inner_value() {
        let (log, reports) = (log(), Reports::collect());
        let guard = AsyncDropGuard::live(Resource::new(&log, WAITS, Ending::Err));
        let result: Result<usize, Failed> = block_on(scope(guard, async |guard| {
            let first = AsyncDropArc::new(Mutex::new(guard));
            let second = AsyncDropArc::clone(&first);
            let touched = Ok(second.lock().await.touch());
            assert_eq!(second.async_drop().await.result, Ok(()));
            let guard = Mutex::into_inner(AsyncDropArc::into_inner(first).unwrap());
            guard.async_drop().await.after(touched)
        }));
        assert_eq!(result, Err(Failed));
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    fn locking_a_free_mutex_allocates_nothing() {
        let log = log();
        let mutex = mutex(&log, Ending::Ok);
        let counted = measure(|| {
            for _ in 0..3 {
                assert_eq!(run(mutex.lock()).1.touch(), WAITS);
                assert_eq!(mutex.try_lock().unwrap().touch(), WAITS);
            }
        });
        assert_eq!(counted.count_total, 0);
        block_on(clean(mutex)).unwrap();
    }

    fn cleaning_up_allocates_no_more_than_the_value() {
        let (bare_log, log) = (log(), log());
        let bare = guard(&bare_log, Ending::Ok);
        let mutex = mutex(&log, Ending::Ok);
        let by_the_value = measure(|| run(clean(bare)).1.unwrap()).count_total;
        assert_eq!(measure(|| run(clean(mutex)).1.unwrap()).count_total, by_the_value);
    }
}

macro_rules! only_checked {
    ($test:ident, $mutex:ident) => {
        #[test]
        fn $test() {
            use livedrop::sync::$mutex as Mutex;

            let (log, reports) = (log(), Reports::collect());
            let guard = AsyncDropGuard::new(Resource::plain(&log));
            // All lines of a macro's expansion are the line of its call.
            let line = line!();
            let mut mutex = Mutex::new(guard);
            assert_eq!(run(mutex.async_drop()), (POLLS_OF_A_CLEANUP, Ok(())));
            assert_eq!(run(mutex.async_drop()), (1, Ok(())));
            let name = stringify!($mutex);
            let end = format!("{name}<Resource> after its cleanup{}", created_at(file!(), line));
            let text = panic_of(|| mutex.try_lock().is_some());
            assert!(text.starts_with(&format!("used {end}")), "{text}");
            let text = panic_of(|| Mutex::into_inner(mutex));
            assert!(text.starts_with(&format!("tried to take out {end}")), "{text}");

            let mut guard = AsyncDropGuard::new(Resource::plain(&log));
            block_on(guard.async_drop()).unwrap();
            let mut mutex = Mutex::new(guard);
            let text = panic_of(|| block_on(mutex.lock()).touch());
            assert!(text.starts_with("used Resource after its cleanup"), "{text}");
            assert_eq!(run(mutex.async_drop()), (1, Ok(())));
            assert_eq!(log.counts(), (2, 2, 2));
            reports.expect_none();
        }
    };
}
only_checked!(a_checked_mutex_knows_that_it_was_cleaned_up, AsyncDropMutex);
#[cfg(feature = "tokio")]
only_checked!(a_checked_tokio_mutex_knows_that_it_was_cleaned_up, AsyncDropTokioMutex);

#[test]
fn mutex_is_unfair_and_keeps_a_waiter_list() {
    let log = log();
    let mutex = AsyncDropMutex::new(AsyncDropGuard::live(Resource::plain(&log)));
    let held = mutex.try_lock().unwrap();
    let mut second = Box::pin(mutex.lock());
    let counted = measure(|| assert!(run_once(second.as_mut()).is_pending()));
    assert!(counted.count_total > 0);
    drop(held);
    assert!(mutex.try_lock().is_some(), "it is free");
    assert!(run_once(second.as_mut()).is_ready());
    drop(second);
    block_on(mutex.async_drop()).result.unwrap();
}

fn run_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[cfg(feature = "tokio")]
mod in_turn {
    use super::*;
    use std::pin::pin;

    use livedrop::sync::AsyncDropTokioMutex;

    #[test]
    fn tokio_mutex_is_fair_and_waiters_allocate_nothing() {
        let log = log();
        let mutex = AsyncDropTokioMutex::new(AsyncDropGuard::live(Resource::plain(&log)));
        let counted = measure(|| {
            let held = mutex.try_lock().unwrap();
            let (mut second, mut third) = (pin!(mutex.lock()), pin!(mutex.lock()));
            assert!(run_once(second.as_mut()).is_pending());
            assert!(run_once(third.as_mut()).is_pending());
            drop(held);
            assert!(run_once(third.as_mut()).is_pending());
            assert!(mutex.try_lock().is_none());
            let Poll::Ready(held) = run_once(second.as_mut()) else { panic!("its turn") };
            drop(held);
            assert!(run_once(third.as_mut()).is_ready());
        });
        assert_eq!(counted.count_total, 0);
        block_on(mutex.async_drop()).result.unwrap();
    }
}

mod traits {
    use super::*;
    use std::convert::Infallible;
    use std::rc::Rc;

    struct NotSync(Cell<u8>);

    #[async_trait::async_trait]
    impl AsyncDrop for NotSync {
        type Error = Infallible;

        async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
            self.0.set(0);
            Ok(())
        }
    }

    macro_rules! assert_traits {
        ($mutex:ident, $guard:ident) => {
            use livedrop::sync::{$guard, $mutex};
            assert_impl_all!($mutex<NotSync>: Send, Sync);
            assert_impl_all!($mutex<NotSync, Live>: Send, Sync);
            assert_impl_all!($mutex<NotSync, Live<Scoped<'static>>>: Send, Sync);
            assert_not_impl_any!($mutex<Rc<u8>>: Send, Sync);
            assert_not_impl_any!($mutex<Rc<u8>, Live>: Send, Sync);
            assert_not_impl_any!($mutex<NotSync>: Clone, Copy);
            assert_impl_all!($guard<'static, NotSync>: Send);
            assert_not_impl_any!($guard<'static, NotSync>: Sync, Clone);
            assert_impl_all!($guard<'static, Resource, Live>: Send, Sync);
            assert_impl_all!(AsyncDropArc<$mutex<NotSync>>: Send, Sync);
            assert_impl_all!(AsyncDropArc<$mutex<NotSync, Live>, Live>: Send, Sync);
        };
    }
    assert_traits!(AsyncDropMutex, AsyncDropMutexGuard);
    #[cfg(feature = "tokio")]
    mod tokio {
        use super::*;
        assert_traits!(AsyncDropTokioMutex, AsyncDropTokioMutexGuard);
    }

    fn is_send<T: Send>(value: T) -> T {
        value
    }

    #[test]
    fn futures_of_a_mutex_can_move_between_threads() {
        let mut mutex = AsyncDropMutex::new(AsyncDropGuard::new(NotSync(Cell::new(1))));
        assert_eq!(block_on(is_send(mutex.lock())).0.get(), 1);
        block_on(is_send(mutex.async_drop())).unwrap();
    }

    #[test]
    fn handles_of_mutex_share_a_non_sync_value() {
        let mut first =
            AsyncDropArc::new(AsyncDropMutex::new(AsyncDropGuard::new(NotSync(Cell::new(1)))));
        let mut second = AsyncDropArc::clone(&first);
        block_on(is_send(async {
            second.lock().await.0.set(2);
            second.async_drop().await
        }))
        .unwrap();
        assert_eq!(block_on(first.lock()).0.get(), 2);
        block_on(first.async_drop()).unwrap();
    }
}

#[test]
fn an_adopted_guard_comes_out_of_a_mutex_with_its_begun_cleanup() {
    let (log, mut reaper, reports) = (log(), livedrop::Reaper::new(), Reports::collect());
    let adopted = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, WAITS, Ending::Ok)));
    let mut mutex = AsyncDropMutex::new(adopted);
    cancel_after(1, mutex.async_drop());
    let guard = AsyncDropMutex::into_inner(mutex);
    let text = panic_of(|| guard.touch());
    assert!(text.contains("after its cleanup has begun"), "{text}");
    drop(guard);
    let report = block_on(reaper.drain());
    assert_eq!((report.cleaned, report.failures.len()), (1, 0));
    assert_eq!(log.counts(), (1, 1, 1), "resumed, not restarted");
    block_on(reaper.async_drop()).unwrap();
    reports.expect_none();
}

#[test]
fn two_mutex_cleanups_clean_an_adopted_value_once() {
    let log = log();
    block_on(leaks(async |reaper| {
        let adopted = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, WAITS, Ending::Err)));
        let mut mutex = AsyncDropMutex::new(adopted);
        let inner_value: &mut AsyncDropMutex<_, _> = &mut mutex;
        assert_eq!(inner_value.async_drop_impl().await, Err(Failed));
        assert_eq!(mutex.async_drop().await, Ok(()));
        assert_eq!(log.counts(), (1, 1, 1));
    }));
}
