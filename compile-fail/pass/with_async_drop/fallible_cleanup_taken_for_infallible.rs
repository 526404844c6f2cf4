use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};

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
    with_async_drop!(cache, { Ok(cache.entries) })
}

fn main() {
    assert_eq!(futures::executor::block_on(size()).unwrap(), 2);
}
