//! Misuse: adopting a value that borrows, to open a scope with it (E0597)
//! Why it matters: if the caller is cancelled, the reaper still needs the log for the cleanup.
//! Fix: let the value own its data, or open the scope with a `Live` guard, which may borrow.
//! Rule: Adopted values own their data

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope};

struct Transaction<'log> {
    log: &'log mut Vec<String>,
}

#[async_trait]
impl AsyncDrop for Transaction<'_> {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.log.push("rolled back".to_owned());
        Ok(())
    }
}

async fn book(reaper: &Reaper) {
    let mut log = Vec::new();
    let transaction = reaper.adopt(AsyncDropGuard::new(Transaction { log: &mut log }));
    scope!(transaction, async |mut transaction| {
        transaction.log.push("booked".to_owned());
        (transaction.async_drop().await.proof, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(async {
        let mut reaper = Reaper::new();
        book(&reaper).await;
        reaper.async_drop().await.unwrap();
    });
}
