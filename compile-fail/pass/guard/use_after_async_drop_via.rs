use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Transaction;

impl Transaction {
    async fn insert(&mut self, _row: u32) -> io::Result<()> {
        Ok(())
    }

    async fn commit(self) -> io::Result<()> {
        Ok(())
    }
}

/// Rolls back.
#[async_trait]
impl AsyncDrop for Transaction {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn book() -> io::Result<()> {
    scope!(AsyncDropGuard::live(Transaction), async |mut transaction| {
        let _ = transaction.insert(1).await;
        transaction.async_drop_via(Transaction::commit).await
    })
    .await
}

fn main() {
    futures::executor::block_on(book()).unwrap();
}
