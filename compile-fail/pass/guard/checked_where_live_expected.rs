use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

struct Transaction;

#[async_trait]
impl AsyncDrop for Transaction {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn commit(transaction: AsyncDropGuard<Transaction, Live>) -> io::Result<()> {
    transaction.async_drop().await.result
}

async fn pay() -> io::Result<()> {
    let transaction = AsyncDropGuard::live(Transaction);
    commit(transaction).await
}

fn main() {
    futures::executor::block_on(pay()).unwrap();
}
