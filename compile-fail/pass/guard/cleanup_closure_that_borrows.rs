use livedrop::AsyncDropGuard;

/// A type of another crate.
struct Pool;

impl Pool {
    async fn close(&self) {
        println!("closed");
    }
}

async fn serve() {
    let mut pool = AsyncDropGuard::with_cleanup(Pool, |pool| async move { pool.close().await });
    pool.async_drop().await.unwrap();
}

fn main() {
    futures::executor::block_on(serve());
}
