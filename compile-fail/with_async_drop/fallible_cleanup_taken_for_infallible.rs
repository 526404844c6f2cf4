//! Misuse: `with_async_drop_infallible!` with a cleanup that can fail (E0004)
//! Why it matters: the block's output cannot hold the error of the cleanup.
//! Fix: use `with_async_drop!`, whose block returns a `Result`.
//! Rule: No error is lost

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop_infallible};

struct Cache {
    entries: usize,
}

#[async_trait]
impl AsyncDrop for Cache {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn size() -> io::Result<usize> {
    let cache = AsyncDropGuard::new(Cache { entries: 2 });
    Ok(with_async_drop_infallible!(cache, { cache.entries }))
}

fn main() {
    assert_eq!(futures::executor::block_on(size()).unwrap(), 2);
}
