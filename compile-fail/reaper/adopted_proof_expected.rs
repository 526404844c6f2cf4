//! Misuse: handing in an `Adopted` guard where a proof of its cleanup is asked for (E0308)
//! Why it matters: the reaper will clean it up some time; whoever deletes the file now is too early.
//! Fix: a proof comes from a `Live` guard: `guard.async_drop().await.proof`. Adopt what needs none.
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
