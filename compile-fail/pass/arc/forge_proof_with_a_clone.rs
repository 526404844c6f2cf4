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
        let let_go = clone.async_drop().await.result;
        connection.async_drop().await.after(let_go)
    })
    .await
}

fn main() {
    let connection = AsyncDropArc::new(AsyncDropGuard::live(Connection));
    futures::executor::block_on(ping(connection)).unwrap();
}
