//! Misuse: returning the proof of a handle instead of the proof of the value (E0277)
//! Why it matters: the cleanup of one handle proves nothing about the connection: another handle may still hold it.
//! Fix: take the connection's guard out of the last handle with `AsyncDropArc::into_inner`, and clean it up.
//! Rule: A proof comes from its cleanup only

use async_trait::async_trait;
use livedrop::sync::AsyncDropArc;
use livedrop::{AsyncDrop, AsyncDropGuard, Live, scope};

struct Connection;

impl Connection {
    async fn ping(&self) {}
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn ping(connection: AsyncDropGuard<Connection, Live>) -> std::io::Result<()> {
    scope!(connection, async |connection| {
        let shared = AsyncDropArc::new(connection);
        shared.ping().await;
        let outcome = shared.async_drop().await;
        (outcome.proof, outcome.result)
    })
    .await
}

fn main() {
    let connection = AsyncDropGuard::live(Connection);
    futures::executor::block_on(ping(connection)).unwrap();
}
