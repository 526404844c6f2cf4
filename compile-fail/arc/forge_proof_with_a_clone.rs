//! Misuse: handing in the proof of a clone for that of the scope's own handle (E0277)
//! Why it matters: the clone only lets go; the connection stays open, since the other handle is forgotten.
//! Fix: a clone has a cleanup and a proof of its own; clean up the scope's handle, too, and return its proof.
//! Rule: The rule of brands

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

async fn ping(
    connection: AsyncDropGuard<AsyncDropArc<Connection, Live>, Live>,
) -> std::io::Result<()> {
    scope!(connection, async |connection| {
        let clone = AsyncDropArc::clone(&connection);
        clone.ping().await;
        let outcome = clone.async_drop().await;
        (outcome.proof, outcome.result)
    })
    .await
}

fn main() {
    let connection = AsyncDropArc::new(AsyncDropGuard::live(Connection));
    futures::executor::block_on(ping(connection)).unwrap();
}
