//! Misuse: a cleanup closure whose future borrows the value (E0515)
//! Why it matters: the closure owns the value and drops it when it returns, before the future is polled.
//! Fix: move the value into the future: `|pool| async move { pool.close().await }`.
//! Rule: Every guarded value has a cleanup

use livedrop::AsyncDropGuard;

/// A type of another crate.
struct Pool;

impl Pool {
    async fn close(&self) {
        println!("closed");
    }
}

async fn serve() {
    let mut pool = AsyncDropGuard::with_cleanup(Pool, |pool| pool.close());
    pool.async_drop().await.unwrap();
}

fn main() {
    futures::executor::block_on(serve());
}
