//! Misuse: adopting a guard whose value borrows from this function (E0597)
//! Why it matters: the reaper may clean up the value after this function has returned.
//! Fix: let the value own its data, or clean up its guard here, without a reaper.
//! Rule: Adopted values own their data

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper};

struct Transaction<'a> {
    log: &'a mut Vec<String>,
}

#[async_trait]
impl AsyncDrop for Transaction<'_> {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.log.push("rolled back".to_owned());
        Ok(())
    }
}

async fn serve() -> Result<(), livedrop::reaper::Report> {
    let mut reaper = Reaper::new();
    let mut log = Vec::new();
    let transaction = AsyncDropGuard::new(Transaction { log: &mut log });
    drop(reaper.adopt(transaction));
    reaper.async_drop().await
}

fn main() {
    futures::executor::block_on(serve()).unwrap();
}
