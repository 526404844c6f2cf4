//! Misuse: implementing the trait that the compiler misses at a `?` in the body of a scope (E0046)
//! Why it matters: the `?` would leave the scope while the connection is open, and forget its guard.
//! Fix: write `try_or_drop!(connection, …)`; or keep the `Result`, and end the body with `outcome.after(result)`.
//! Rule: Every way out of a scope has the proof

use async_trait::async_trait;
use livedrop::scope::CleanupBeforeQuestionMark;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

#[derive(Debug)]
struct Refused;

struct Connection;

impl Connection {
    async fn send(&mut self) -> Result<(), Refused> {
        Err(Refused)
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Refused;

    async fn async_drop_impl(&mut self) -> Result<(), Refused> {
        Ok(())
    }
}

impl CleanupBeforeQuestionMark for Refused {}

async fn send(connection: Connection) -> Result<(), Refused> {
    scope!(AsyncDropGuard::live(connection), async |mut connection| {
        connection.send().await?;
        connection.async_drop().await.after(Ok(()))
    })
    .await
}

fn main() {
    assert!(futures::executor::block_on(send(Connection)).is_err());
}
