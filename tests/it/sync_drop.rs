//! `SyncDrop`: cleans up in `Drop`, for tests.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::support::{Ending, Log, Reports, Resource, block_on, cancel_after, panic_of};
use async_trait::async_trait;
use futures::channel::oneshot;
use livedrop::testing::SyncDrop;
use livedrop::{AsyncDrop, AsyncDropGuard, Checked, Live, Reaper};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

assert_impl_all!(SyncDrop<Resource>: Send, Sync, std::fmt::Debug);
assert_impl_all!(SyncDrop<Resource, Live>: Send, Sync, std::fmt::Debug);
assert_not_impl_any!(SyncDrop<Resource>: Clone);

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Its cleanup waits for a timer and for another task of the tokio runtime.
struct Busy(Resource);

impl Busy {
    fn new(log: &Arc<Log>) -> Self {
        Self(Resource::plain(log))
    }
}

#[async_trait]
impl AsyncDrop for Busy {
    type Error = tokio::task::JoinError;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        tokio::spawn(async { tokio::task::yield_now().await }).await?;
        self.0.async_drop_impl().await.unwrap();
        Ok(())
    }
}

#[test]
fn a_begun_adopted_cleanup_is_finished() {
    for polls in 0..4 {
        let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
        let mut guard = reaper.adopt(AsyncDropGuard::new(Resource::plain(&log)));
        cancel_after(polls, guard.async_drop());
        drop(SyncDrop::new(guard));
        assert_eq!(log.counts(), (1, 1, 1), "after {polls} polls");
        assert!(reaper.pending().is_empty());
        block_on(reaper.async_drop()).unwrap();
    }
}

/// Its cleanup waits for another thread.
struct Remote(Resource);

#[async_trait]
impl AsyncDrop for Remote {
    type Error = oneshot::Canceled;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        let (sender, receiver) = oneshot::channel();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            sender.send(()).unwrap();
        });
        receiver.await?;
        self.0.async_drop_impl().await.unwrap();
        Ok(())
    }
}

const REFUSED: &str = "SyncDrop of Resource would deadlock on a current-thread tokio runtime";

macro_rules! in_either_state {
    ($state:ident, $S:ty, $make:expr) => {
        mod $state {
            use super::*;

            fn resource(log: &Arc<Log>, ending: Ending) -> SyncDrop<Resource, $S> {
                SyncDrop::new($make(Resource::new(log, 3, ending)))
            }

            #[test]
            fn cleans_up_outside_of_any_runtime() {
                let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                drop(SyncDrop::new($make(Remote(Resource::plain(&log)))));
                assert_eq!(log.counts(), (1, 1, 1));
                reports.expect_none();
            }

            #[test]
            fn cleans_up_on_another_executor() {
                let log = Arc::new(Log::default());
                block_on(async { drop(SyncDrop::new($make(Remote(Resource::plain(&log))))) });
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn cleans_up_on_a_multi_thread_runtime() {
                let log = Arc::new(Log::default());
                let runtime = multi_thread();
                runtime.block_on(async { drop(SyncDrop::new($make(Busy::new(&log)))) });
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn cleans_up_in_task_on_the_only_worker() {
                let log = Arc::new(Log::default());
                let value = SyncDrop::new($make(Busy::new(&log)));
                let runtime = multi_thread();
                runtime.block_on(runtime.spawn(async { drop(value) })).unwrap();
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn a_cleanup_that_does_not_wait_runs_on_a_current_thread_runtime() {
                let log = Arc::new(Log::default());
                current_thread().block_on(async {
                    drop(SyncDrop::new($make(Resource::new(&log, 0, Ending::Ok))));
                });
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn refuses_a_waiting_cleanup_on_a_current_thread_runtime() {
                let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                let text = panic_of(|| {
                    current_thread().block_on(async { drop(resource(&log, Ending::Ok)) })
                });
                assert!(text.starts_with(REFUSED), "{text}");
                assert!(text.contains("#[tokio::test(flavor = \"multi_thread\")]"), "{text}");
                assert!(text.contains("`SyncDrop::into_inner(value).async_drop().await`"));
                assert_eq!(log.counts(), (1, 0, 1));
                reports.expect_one("Resource was dropped without its cleanup");
            }

            #[test]
            fn refuses_a_local_set_at_once() {
                let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                let runtime = multi_thread();
                panic_of(|| {
                    let drops = async { drop(resource(&log, Ending::Ok)) };
                    LocalSet::new().block_on(&runtime, drops);
                });
                assert_eq!(log.counts(), (0, 0, 1));
                reports.expect_one("Resource was dropped without its cleanup");
            }

            #[test]
            fn made_on_current_thread_runtime_may_drop_outside() {
                let log = Arc::new(Log::default());
                drop(current_thread().block_on(async { resource(&log, Ending::Ok) }));
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn cleans_up_while_unwinding() {
                let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                let text = panic_of(|| {
                    let _value = SyncDrop::new($make(Remote(Resource::plain(&log))));
                    panic!("body");
                });
                assert_eq!((text.as_str(), log.counts()), ("body", (1, 1, 1)));
                reports.expect_none();
            }

            #[test]
            fn cleans_up_while_unwinding_on_multi_thread_runtime() {
                let log = Arc::new(Log::default());
                let value = SyncDrop::new($make(Busy::new(&log)));
                let runtime = multi_thread();
                let task = runtime.spawn(async {
                    let _value = value;
                    panic!("body");
                });
                assert!(runtime.block_on(task).unwrap_err().is_panic());
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn unwinding_on_current_thread_runtime_does_not_abort() {
                let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                let text = panic_of(|| {
                    current_thread().block_on(async {
                        let _value = resource(&log, Ending::Ok);
                        panic!("body");
                    })
                });
                assert_eq!((text.as_str(), log.counts()), ("body", (1, 0, 1)));
                let reported = reports.take();
                assert_eq!(reported.len(), 2, "{reported:?}");
                assert!(reported[0].contains(REFUSED), "{reported:?}");
                assert!(reported[1].starts_with("Resource was dropped without its cleanup"));
            }

            #[test]
            fn panics_if_the_cleanup_fails() {
                let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                let text = panic_of(|| drop(resource(&log, Ending::Err)));
                assert_eq!(text, "cleanup of Resource failed: Failed");
                assert_eq!(log.counts(), (1, 1, 1));
                reports.expect_none();
            }

            #[test]
            fn panics_if_the_cleanup_does() {
                let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                let text = panic_of(|| drop(resource(&log, Ending::Panic)));
                assert_eq!(text, "cleanup went wrong");
                assert_eq!(log.counts(), (1, 0, 1));
                reports.expect_none();
            }

            #[test]
            fn reports_a_failing_cleanup_while_unwinding() {
                for (ending, report) in [
                    (Ending::Err, "cleanup of Resource failed as well: Failed"),
                    (Ending::Panic, "cleanup of Resource failed as well: panicked: cleanup went"),
                ] {
                    let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                    let text = panic_of(|| {
                        let _value = resource(&log, ending);
                        panic!("body");
                    });
                    assert_eq!((text.as_str(), log.counts().2), ("body", 1));
                    reports.expect_one(report);
                }
            }

            #[test]
            fn gives_the_value_and_the_guard() {
                let log = Arc::new(Log::default());
                let mut value = resource(&log, Ending::Ok);
                value.waits = 4;
                assert_eq!(value.touch(), 4);
                assert!(format!("{value:?}").contains("a secret"));
                let guard: AsyncDropGuard<Resource, $S> = SyncDrop::into_inner(value);
                assert_eq!(log.counts(), (0, 0, 0));
                let text = panic_of(|| drop(guard));
                assert!(text.starts_with("Forgot to call async_drop on Resource"), "{text}");
            }
        }
    };
}

in_either_state!(checked, Checked, AsyncDropGuard::new);
in_either_state!(live, Live, AsyncDropGuard::live);

#[test]
fn guard_cleaned_up_before_needs_no_cleanup() {
    let log = Arc::new(Log::default());
    current_thread().block_on(async {
        let mut guard = AsyncDropGuard::new(Resource::plain(&log));
        guard.async_drop().await.unwrap();
        drop(SyncDrop::new(guard));
    });
    assert_eq!(log.counts(), (1, 1, 1));
}
