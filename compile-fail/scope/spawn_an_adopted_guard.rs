//! Misuse: moving a scoped guard into a task because a reaper backs it (E0521)
//! Why it matters: the body could return while the task still uses the connection.
//! Fix: open the scope inside the task.
//! Rule: A scoped guard ends in its scope

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
    scope!(connection, async |mut connection| {
        let task = tokio::spawn(async move {
            connection.ping().await;
            connection.async_drop().await.proof
        });
        (task.await.unwrap(), ())
    })
    .await
}

#[tokio::main]
async fn main() {
    let mut reaper = Reaper::new();
    keep_alive(&reaper).await;
    reaper.async_drop().await.unwrap();
}
