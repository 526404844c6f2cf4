//! Misuse: giving a guard to a reaper whose value borrows from this function (E0597)
//! Why it matters: the reaper may clean it up when this function has long returned.
//! Fix: give the value data of its own, or clean its guard up here, without a reaper.
//! Rule: What is adopted owns its data

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
