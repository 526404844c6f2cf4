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
        Ok(counter.count)
    })
}

fn main() {
    assert_eq!(futures::executor::block_on(count()).unwrap(), 4);
}
