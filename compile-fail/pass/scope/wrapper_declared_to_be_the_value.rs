//! The scope shares its guard, and takes it out of the last handle again.

use async_trait::async_trait;
use livedrop::sync::AsyncDropArc;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn share(connection: Connection) -> std::io::Result<()> {
    scope!(AsyncDropGuard::live(connection), async |connection| {
        let shared = AsyncDropArc::new(connection);
        let Ok(connection) = AsyncDropArc::into_inner(shared) else {
            unreachable!("it is the only handle");
        };
        connection.async_drop().await.after(Ok(()))
    })
    .await
}

fn main() {
    futures::executor::block_on(share(Connection)).unwrap();
}
