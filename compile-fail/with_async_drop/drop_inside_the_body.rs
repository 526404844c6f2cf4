//! Misuse: cleaning up the guard by hand in the block of `with_async_drop!` (E0382)
//! Why it matters: the transaction would end in the middle of the block, and again after it.
//! Fix: leave the cleanup to the macro; to clean up earlier, end the block earlier.
//! Rule: Use the macro when possible

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};

struct Transaction {
    rows: u32,
}

impl Transaction {
    async fn insert(&mut self, _row: &str) -> io::Result<()> {
        self.rows += 1;
        Ok(())
    }
}

#[async_trait]
impl AsyncDrop for Transaction {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn commit(mut transaction: AsyncDropGuard<Transaction>) -> io::Result<()> {
    transaction.async_drop().await
}

async fn import() -> io::Result<u32> {
    let transaction = AsyncDropGuard::new(Transaction { rows: 0 });
    with_async_drop!(transaction, {
        transaction.insert("ada").await?;
        let rows = transaction.rows;
        commit(transaction).await?;
        Ok(rows)
    })
}

fn main() {
    assert_eq!(futures::executor::block_on(import()).unwrap(), 1);
}
