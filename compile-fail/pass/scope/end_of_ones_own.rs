//! The body returns the proof of its guard and the result.

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn hold(connection: Connection) -> std::io::Result<()> {
    scope!(AsyncDropGuard::live(connection), async |connection| {
        connection.async_drop().await.after(Ok(()))
    })
    .await
}

fn main() {
    futures::executor::block_on(hold(Connection)).unwrap();
}
