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
    transaction.async_drop().await.proof
}

fn main() {
    let transaction = AsyncDropGuard::live(Transaction { reason: String::new() });
    let _proof = futures::executor::block_on(roll_back(transaction));
}
