//! Cleanups in spawned tasks: their futures must be `Send` with every supported compiler.
//! `ci/toolchains.sh` runs these tests with the oldest supported compiler and with a newer one.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope, with_async_drop};

/// Sets its flag when it is cleaned up.
struct Connection {
    closed: Arc<AtomicBool>,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> std::io::Result<()> {
        tokio::task::yield_now().await;
        self.closed.store(true, Ordering::SeqCst);
        Ok(())
    }
}

fn connection() -> (Connection, impl Fn() -> bool) {
    let closed = Arc::new(AtomicBool::new(false));
    (Connection { closed: Arc::clone(&closed) }, move || closed.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_spawned_scope_cleans_up() {
    let (connection, closed) = connection();
    let guard = AsyncDropGuard::live(connection);
    let task = tokio::spawn(scope!(guard, async |guard| {
        tokio::task::yield_now().await;
        let outcome = guard.async_drop().await;
        (outcome.proof, outcome.result)
    }));
    task.await.unwrap().unwrap();
    assert!(closed());
}

#[tokio::test]
async fn a_spawned_with_async_drop_cleans_up() {
    let (connection, closed) = connection();
    let guard = AsyncDropGuard::new(connection);
    let task = tokio::spawn(async move {
        with_async_drop!(guard, {
            tokio::task::yield_now().await;
            Ok::<_, std::io::Error>(guard.closed.load(Ordering::SeqCst))
        })
    });
    let closed_in_body = task.await.unwrap().unwrap();
    assert!(!closed_in_body && closed());
}

#[tokio::test]
async fn a_reaper_cleans_up_after_an_aborted_task() {
    let mut reaper = Reaper::new();
    let (connection, closed) = connection();
    let guard = reaper.adopt(AsyncDropGuard::new(connection));
    let task = tokio::spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    tokio::task::yield_now().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());

    let drained = tokio::spawn(async move { reaper.async_drop().await });
    drained.await.unwrap().unwrap();
    assert!(closed());
}
