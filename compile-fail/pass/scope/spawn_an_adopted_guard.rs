use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope};

struct Connection;

impl Connection {
    async fn ping(&mut self) {}
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn keep_alive(reaper: &Reaper) {
    let connection = reaper.adopt(AsyncDropGuard::new(Connection));
    let task = tokio::spawn(scope!(connection, async |mut connection| {
        connection.ping().await;
        (connection.async_drop().await.proof, ())
    }));
    task.await.unwrap()
}

#[tokio::main]
async fn main() {
    let mut reaper = Reaper::new();
    keep_alive(&reaper).await;
    reaper.async_drop().await.unwrap();
}
