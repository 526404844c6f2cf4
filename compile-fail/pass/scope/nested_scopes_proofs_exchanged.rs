use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct File;

#[async_trait]
impl AsyncDrop for File {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn copy() {
    let source = AsyncDropGuard::live(File);
    scope(source, async |source| {
        let target = AsyncDropGuard::live(File);
        let read = scope(target, async |target| {
            let read = source.async_drop().await.proof;
            let written = target.async_drop().await.proof;
            (written, read)
        })
        .await;
        (read, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(copy());
}
