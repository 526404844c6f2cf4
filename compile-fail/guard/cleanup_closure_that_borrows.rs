//! Misuse: a cleanup closure whose future borrows the value that the closure was given (E0515)
//! Why it matters: the value would be gone while it is still being closed.
//! Fix: move the value into the future: `|pool| async move { pool.close().await }`.
//! Rule: Say how to clean up

use livedrop::AsyncDropGuard;

/// Of a foreign crate.
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
