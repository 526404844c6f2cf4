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
    let again = AsyncDropArc::clone(&connection);
    connection.ping().await;
    let let_go = connection.async_drop().await.result;
    again.ping().await;
    again.async_drop().await.result.and(let_go)
}

fn main() {
    let connection = AsyncDropArc::new(AsyncDropGuard::live(Connection));
    futures::executor::block_on(ping(connection)).unwrap();
}
