//! Misuse: returning the guard from a function that promises the proof (E0308)
//! Why it matters: the callers rely on the proof that the transaction is rolled back.
//! Fix: return the proof: `transaction.async_drop().await.proof`.
//! Rule: A proof comes from its cleanup only

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Dropped, Live};

struct Transaction {
    reason: String,
}

#[async_trait]
impl AsyncDrop for Transaction {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        println!("rolled back: {}", self.reason);
        Ok(())
    }
}

async fn roll_back(
    mut transaction: AsyncDropGuard<Transaction, Live>,
) -> AsyncDropGuard<Transaction, Dropped> {
    transaction.reason = "timeout".into();
    transaction
}

fn main() {
    let transaction = AsyncDropGuard::live(Transaction { reason: String::new() });
    let _proof = futures::executor::block_on(roll_back(transaction));
}
