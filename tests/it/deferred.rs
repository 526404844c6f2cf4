//! Values of foreign types, which a closure cleans up.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::support::{Reports, block_on, cancel_after, panic_of, run, wait};
use async_trait::async_trait;
use futures::FutureExt;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

/// A foreign type with a by-value `close`.
struct Pool {
    closed: Arc<AtomicUsize>,
    size: usize,
}

impl Pool {
    async fn close(self) {
        wait(2).await;
        self.closed.fetch_add(1, SeqCst);
    }

    async fn try_close(self) -> Result<(), String> {
        let size = self.size;
        self.close().await;
        Err(format!("{size} left"))
    }
}

fn pool(closed: &Arc<AtomicUsize>) -> Pool {
    Pool { closed: Arc::clone(closed), size: 3 }
}

#[test]
fn a_close_by_value_fits() {
    let closed = Arc::default();
    let mut guard = AsyncDropGuard::with_cleanup(pool(&closed), Pool::close);
    guard.size += 1;
    assert_eq!(guard.size, 4);
    let result: Result<(), Infallible> = block_on(guard.async_drop());
    assert!(result.is_ok());
    assert_eq!(closed.load(SeqCst), 1);
}

#[test]
fn into_inner_gives_the_value_without_its_closure() {
    let closed = Arc::default();
    let guard = AsyncDropGuard::with_cleanup(pool(&closed), Pool::close);
    let (_proof, size) = block_on(guard.async_drop_via(async |pool| pool.into_inner().size));
    assert_eq!((size, closed.load(SeqCst)), (3, 0));

    let mut begun = AsyncDropGuard::with_cleanup(pool(&closed), Pool::close);
    cancel_after(1, begun.async_drop());
    let text = panic_of(|| AsyncDropGuard::into_inner_without_cleanup(begun).into_inner());
    assert_eq!(text, "used Pool after its cleanup has begun");
}

#[test]
fn a_failing_close_is_an_err() {
    let closed = Arc::default();
    let guard = AsyncDropGuard::live_with_cleanup(pool(&closed), Pool::try_close);
    let result = block_on(scope(guard, async |pool| {
        let size = pool.size;
        let outcome = pool.async_drop().await;
        (outcome.proof, (size, outcome.result))
    }));
    assert_eq!(result, (3, Err("3 left".to_owned())));
    assert_eq!(closed.load(SeqCst), 1);
}

#[test]
fn an_interrupted_cleanup_resumes() {
    for polls in 0..3 {
        let (closed, reports) = (Arc::default(), Reports::collect());
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let mut guard = AsyncDropGuard::with_cleanup(pool(&closed), move |pool| {
            counted.fetch_add(1, SeqCst);
            pool.close()
        });
        cancel_after(polls, guard.async_drop());
        assert_eq!(run(guard.async_drop()), (3 - polls, Ok(())), "only the rest");
        assert_eq!((calls.load(SeqCst), closed.load(SeqCst)), (1, 1));
        drop(guard);
        reports.expect_none();
    }
}

#[test]
fn use_while_the_cleanup_is_interrupted_panics() {
    let closed = Arc::default();
    let mut guard = AsyncDropGuard::with_cleanup(pool(&closed), Pool::close);
    cancel_after(1, guard.async_drop());
    assert_eq!(panic_of(|| guard.size), "used Pool after its cleanup has begun");
    block_on(guard.async_drop()).unwrap();
}

#[test]
fn forgetting_names_the_pool() {
    let closed = Arc::default();
    let guard = AsyncDropGuard::with_cleanup(pool(&closed), Pool::close);
    let text = panic_of(|| drop(guard));
    assert!(text.starts_with("Forgot to call async_drop on Deferred<Pool, "), "{text}");
}

#[test]
fn a_closure_that_panics_is_not_called_again() {
    let (closed, reports) = (Arc::default(), Reports::collect());
    let guard = AsyncDropGuard::with_cleanup(pool(&closed), |_| -> std::future::Ready<()> {
        panic!("no future")
    });
    let mut deferred = AsyncDropGuard::into_inner_without_cleanup(guard);
    assert_eq!(panic_of(|| block_on(deferred.async_drop_impl())), "no future");
    assert_eq!(block_on(deferred.async_drop_impl()), Ok(()));
    reports.expect_none();
}

/// The guard is `Sync` although the future is not, so it can be shared.
#[test]
fn guards_of_deferred_values_can_be_shared() {
    fn shared<T: Send + Sync>(_: &T) {}
    let closed = Arc::default();
    let mut guard = AsyncDropGuard::with_cleanup(pool(&closed), |pool| async move {
        let not_sync = std::cell::Cell::new(1);
        pool.close().await;
        not_sync.set(2);
    });
    shared(&guard);
    block_on(guard.async_drop()).unwrap();
}

#[test]
fn value_is_inaccessible_after_its_closure_has_begun() {
    let closed = Arc::default();
    let mut guard = AsyncDropGuard::with_cleanup(pool(&closed), Pool::close);
    cancel_after(1, guard.async_drop());
    let read = panic_of(|| guard.size);
    let changed = panic_of(|| guard.size += 1);
    assert!(changed.contains("Pool") && changed == read, "{changed:?}, {read:?}");
    block_on(guard.async_drop()).unwrap();
    assert_eq!(closed.load(SeqCst), 1, "it went on");
}

#[test]
fn future_of_a_cleanup_may_never_return() {
    let mut guard = AsyncDropGuard::with_cleanup((), |()| async { panic!("of the cleanup") });
    let message = panic_of(|| block_on(guard.async_drop()));
    assert_eq!(message, "of the cleanup");
}

struct Inner;

#[async_trait]
impl AsyncDrop for Inner {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn error_is_reported_if_its_future_panics_later() {
    let reports = Reports::collect_and_panic();
    let inner = AsyncDropGuard::new(Inner);
    let mut pool = AsyncDropGuard::with_cleanup(inner, |mut inner| {
        tokio::time::timeout(Duration::from_millis(1), async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let Ok(()) = inner.async_drop().await;
        })
    });
    let ended = AssertUnwindSafe(pool.async_drop()).catch_unwind().await;
    assert!(ended.is_err(), "the inner guard was forgotten");
    let texts = reports.take();
    assert!(texts[0].starts_with("Forgot to call async_drop on Inner"), "{texts:?}");
    assert!(texts[1].ends_with(" failed as well: Elapsed(())"), "{texts:?}");
    assert_eq!(texts.len(), 2);
}
