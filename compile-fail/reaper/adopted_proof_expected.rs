//! Misuse: passing an `Adopted` guard where a proof of its cleanup is required (E0308)
//! Why it matters: the reaper cleans up later, so the file would be deleted too early.
//! Fix: use a `Live` guard, which gives the proof: `guard.async_drop().await.proof`.
//! Rule: A proof comes from its cleanup only

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Dropped, Reaper};

struct LogFile {
    open: bool,
}

#[async_trait]
impl AsyncDrop for LogFile {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.open = false;
        Ok(())
    }
}

fn delete(_closed: AsyncDropGuard<LogFile, Dropped>) {
    println!("deleted");
}

async fn serve() -> Result<(), livedrop::reaper::Report> {
    let mut reaper = Reaper::new();
    let file = reaper.adopt(AsyncDropGuard::live(LogFile { open: true }));
    delete(file);
    reaper.async_drop().await
}

fn main() {
    futures::executor::block_on(serve()).unwrap();
}
