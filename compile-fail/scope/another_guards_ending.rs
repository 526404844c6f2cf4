//! Misuse: ending the scope with the commit of another transaction (E0277)
//! Why it matters: the transaction of the scope would stay open, with its locks.
//! Fix: end the scope's own guard: `outer.async_drop_via(Transaction::commit)`.
//! Rule: The rule of brands

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
    scope!(AsyncDropGuard::live(Transaction), async |mut outer| {
        let _ = outer.insert(1).await;
        let retry = AsyncDropGuard::live(Transaction);
        retry.async_drop_via(Transaction::commit).await
    })
    .await
}

fn main() {
    futures::executor::block_on(book()).unwrap();
}
