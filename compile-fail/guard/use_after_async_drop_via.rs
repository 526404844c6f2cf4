//! Misuse: using a transaction after its commit (E0382)
//! Why it matters: the server has closed the transaction; the row would be lost.
//! Fix: insert everything first, and commit last.
//! Rule: After the cleanup the value is gone

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
        let committed = transaction.async_drop_via(Transaction::commit).await;
        let _ = transaction.insert(1).await;
        committed
    })
    .await
}

fn main() {
    futures::executor::block_on(book()).unwrap();
}
