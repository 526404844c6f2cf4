//! Misuse: returning the outer scope's proof from the inner scope (lifetime may not live long enough)
//! Why it matters: with exchanged proofs both guards could be forgotten, and each proof would hide one of them.
//! Fix: return the proof of each scope's own guard.
//! Rule: The rule of brands

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
            (read, written)
        })
        .await;
        (read, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(copy());
}
