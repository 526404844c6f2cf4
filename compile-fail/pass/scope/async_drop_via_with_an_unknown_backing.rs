use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::scope::{Proof, ScopedGuard};
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Reaper, scope};

struct Transaction;

impl Transaction {
    async fn commit(self) -> u32 {
        7
    }
}

/// Rolls back.
#[async_trait]
impl AsyncDrop for Transaction {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn commit(
    transaction: ScopedGuard<'_, Transaction, Adopted>,
) -> (Proof<'_, Transaction>, u32) {
    transaction.async_drop_via(Transaction::commit).await
}

async fn book(reaper: &Reaper) -> u32 {
    let transaction = reaper.adopt(AsyncDropGuard::new(Transaction));
    scope!(transaction, async |transaction| commit(transaction).await).await
}

fn main() {
    futures::executor::block_on(async {
        let mut reaper = Reaper::new();
        assert_eq!(book(&reaper).await, 7);
        reaper.async_drop().await.unwrap();
    });
}
