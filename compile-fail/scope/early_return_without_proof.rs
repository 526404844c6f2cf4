//! Misuse: an early `return` that skips the cleanup (E0308)
//! Why it matters: the lock would stay held whenever there are too many jobs.
//! Fix: clean up on that path, too: `return lock.async_drop().await.after(Err(error))`.
//! Rule: Every way out of a scope has the proof

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct LockFile {
    jobs: Vec<String>,
}

#[async_trait]
impl AsyncDrop for LockFile {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn work_off(lock: LockFile) -> io::Result<usize> {
    let lock = AsyncDropGuard::live(lock);
    scope!(lock, async |mut lock| {
        if lock.jobs.is_empty() {
            return lock.async_drop().await.after(Ok(0));
        }
        if lock.jobs.len() > 100 {
            return Err(io::Error::other("too much to do"));
        }
        let done = lock.jobs.drain(..).count();
        lock.async_drop().await.after(Ok(done))
    })
    .await
}

fn main() {
    let lock = LockFile { jobs: Vec::new() };
    assert_eq!(futures::executor::block_on(work_off(lock)).unwrap(), 0);
}
