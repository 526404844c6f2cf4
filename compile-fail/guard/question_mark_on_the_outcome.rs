//! Misuse: a `?` after the `async_drop` of a `Live` guard, as after the `async_drop` of a `Checked` one (E0277)
//! Why it matters: `async_drop` of a `Live` guard returns a proof and a result, and you must handle both.
//! Fix: write `.result?` for the error alone, or `.into_result()?` for the proof as well.
//! Rule: No error is lost

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Spool {
    jobs: u32,
}

#[async_trait]
impl AsyncDrop for Spool {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        self.jobs = 0;
        Ok(())
    }
}

async fn print() -> io::Result<()> {
    let mut spool = AsyncDropGuard::live(Spool { jobs: 0 });
    spool.jobs += 1;
    spool.async_drop().await?;
    Ok(())
}

fn main() {
    futures::executor::block_on(print()).unwrap();
}
