//! Misuse: counting spawned cleanups in an `Rc` (`Rc<Cell<i32>>` cannot be sent between threads safely)
//! Why it matters: the `Run` that calls the spawner is a future that a runtime moves between threads.
//! Fix: count in an `Arc<AtomicUsize>`.
//! Rule: Adopted values own their data

use std::cell::Cell;
use std::rc::Rc;

use livedrop::{AsyncDropGuard, Reaper};

async fn serve() {
    let spawned = Rc::new(Cell::new(0));
    let mut reaper = Reaper::new();
    let counted = Rc::clone(&spawned);
    let running = tokio::spawn(reaper.run_with(move |cleanup| {
        counted.set(counted.get() + 1);
        tokio::spawn(cleanup);
    }));
    drop(reaper.adopt(AsyncDropGuard::with_cleanup((), |()| async {})));
    reaper.async_drop().await.unwrap();
    running.await.unwrap();
    assert_eq!(spawned.get(), 1);
}

fn main() {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(serve());
}
