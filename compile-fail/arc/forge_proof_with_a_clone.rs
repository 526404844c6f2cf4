//! Misuse: returning the proof of a clone instead of the proof of the scope's own handle (E0277)
//! Why it matters: the clone only gives up its share; the scope's handle is forgotten, and the connection stays open.
//! Fix: clean up the scope's handle, too, and return its proof: each handle has a cleanup and a proof of its own.
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
