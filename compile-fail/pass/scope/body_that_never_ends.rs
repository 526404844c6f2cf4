use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection;

impl Connection {
    async fn ping(&mut self) {}
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn keep_alive() {
    let connection = AsyncDropGuard::live(Connection);
    scope!(connection, async |mut connection| {
        for _ in 0..3 {
            connection.ping().await;
        }
        (connection.async_drop().await.proof, ())
    })
    .await
}

fn main() {
    futures::executor::block_on(keep_alive());
}
