//! Misuse: a block that ends with a plain value instead of a `Result` (E0308)
//! Why it matters: the cleanup can fail, and the block's `Result` must be able to hold its error.
//! Fix: end the block with `Ok(…)`.
//! Rule: No error is lost

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};

struct Counter {
    count: u64,
}

#[async_trait]
impl AsyncDrop for Counter {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn count() -> io::Result<u64> {
    let counter = AsyncDropGuard::new(Counter { count: 3 });
    with_async_drop!(counter, {
        counter.count += 1;
        counter.count
    })
}

fn main() {
    assert_eq!(futures::executor::block_on(count()).unwrap(), 4);
}
