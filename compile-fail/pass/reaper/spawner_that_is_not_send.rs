use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use livedrop::{AsyncDropGuard, Reaper};

async fn serve() {
    let spawned = Arc::new(AtomicUsize::new(0));
    let mut reaper = Reaper::new();
    let counted = Arc::clone(&spawned);
    let running = tokio::spawn(reaper.run_with(move |cleanup| {
        counted.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(cleanup);
    }));
    drop(reaper.adopt(AsyncDropGuard::with_cleanup((), |()| async {})));
    reaper.async_drop().await.unwrap();
    running.await.unwrap();
    assert_eq!(spawned.load(Ordering::Relaxed), 1);
}

fn main() {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(serve());
}
