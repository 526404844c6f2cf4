//! Misuse: `async_drop_via` in a helper that is generic over the backing of its guard (E0277)
//! Why it matters: with a reaper, the ending must be `Send` and `'static`; without one it need not.
//! Fix: name the backing in the helper: `ScopedGuard<'_, Transaction, Adopted>`.
//! Rule: A guard is in one state

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::scope::{Proof, ScopedGuard};
use livedrop::state::Backs;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope};

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

async fn commit<K: Backs<Transaction>>(
    transaction: ScopedGuard<'_, Transaction, K>,
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
