use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope};

struct Transaction<'log> {
    log: &'log mut Vec<String>,
}

#[async_trait]
impl AsyncDrop for Transaction<'_> {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.log.push("rolled back".to_owned());
        Ok(())
    }
}

async fn book(_reaper: &Reaper) {
    let mut log = Vec::new();
    let transaction = AsyncDropGuard::live(Transaction { log: &mut log });
    scope!(transaction, async |mut transaction| {
        transaction.log.push("booked".to_owned());
        (transaction.async_drop().await.proof, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(async {
        let mut reaper = Reaper::new();
        book(&reaper).await;
        reaper.async_drop().await.unwrap();
    });
}
