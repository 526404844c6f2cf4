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
        let Ok(connection) = AsyncDropArc::into_inner(shared) else {
            unreachable!("there is no other handle");
        };
        let outcome = connection.async_drop().await;
        (outcome.proof, outcome.result)
    })
    .await
}

fn main() {
    let connection = AsyncDropGuard::live(Connection);
    futures::executor::block_on(ping(connection)).unwrap();
}
