//! Misuse: cloning a handle after its cleanup (E0382)
//! Why it matters: if it was the last handle, the connection is closed, and the clone would refer to nothing.
//! Fix: clone first: every owner needs a handle before the last handle is cleaned up.
//! Rule: After the cleanup the value is gone

use async_trait::async_trait;
use livedrop::sync::AsyncDropArc;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

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
    connection.ping().await;
    connection.async_drop().await.result?;
    let again = AsyncDropArc::clone(&connection);
    again.ping().await;
    again.async_drop().await.result
}

fn main() {
    let connection = AsyncDropArc::new(AsyncDropGuard::live(Connection));
    futures::executor::block_on(ping(connection)).unwrap();
}
