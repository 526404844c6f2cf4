use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope};

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

async fn book(reaper: &Reaper) -> io::Result<()> {
    let transaction = reaper.adopt(AsyncDropGuard::new(Transaction));
    let name = Arc::new("booking".to_owned());
    scope!(transaction, async |mut transaction| {
        let _ = transaction.insert(1).await;
        let name = Arc::clone(&name);
        let end = |transaction: Transaction| async move {
            println!("commits {name}");
            transaction.commit().await
        };
        transaction.async_drop_via(end).await
    })
    .await
}

fn main() {
    futures::executor::block_on(async {
        let mut reaper = Reaper::new();
        book(&reaper).await.unwrap();
        reaper.async_drop().await.unwrap();
    });
}
