//! Misuse: awaiting the cleanup and ignoring its outcome (the result of the cleanup is lost)
//! Why it matters: a failed commit looks like a successful one.
//! Fix: use the outcome: `.result?` for the error alone, `.after(body)` or `.into_result()`.
//! Rule: No error is lost

#![deny(unused_must_use)]

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Batch {
    rows: u32,
}

#[async_trait]
impl AsyncDrop for Batch {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        println!("{} rows written", self.rows);
        Ok(())
    }
}

async fn write() -> std::io::Result<()> {
    let mut batch = AsyncDropGuard::live(Batch { rows: 0 });
    batch.rows += 1;
    batch.async_drop().await;
    Ok(())
}

fn main() {
    futures::executor::block_on(write()).unwrap();
}
