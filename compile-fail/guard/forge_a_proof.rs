//! Misuse: creating a proof by hand (E0451)
//! Why it matters: the report would say that the file was flushed, but it was not.
//! Fix: get the proof from `async_drop`; nothing else creates one.
//! Rule: A proof comes from its cleanup only

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Dropped};

struct LogFile;

#[async_trait]
impl AsyncDrop for LogFile {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn report_flushed(_proof: AsyncDropGuard<LogFile, Dropped>) {
    println!("flushed");
}

async fn rotate() {
    let proof = AsyncDropGuard { slot: () };
    report_flushed(proof);
}

fn main() {
    futures::executor::block_on(rotate());
}
