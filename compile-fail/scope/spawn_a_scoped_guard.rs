//! Misuse: moving a scoped guard into a spawned task (E0521)
//! Why it matters: the task may outlive the scope, with or without a cleanup.
//! Fix: open the scope inside the task.
//! Rule: A scoped guard ends in its scope

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

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

async fn keep_alive() {
    let connection = AsyncDropGuard::live(Connection);
    scope!(connection, async |mut connection| {
        let task = tokio::spawn(async move {
            connection.ping().await;
            connection.async_drop().await.proof
        });
        (task.await.unwrap(), ())
    })
    .await;
}

#[tokio::main]
async fn main() {
    keep_alive().await;
}
