use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection {
    id: u32,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn use_and_keep() -> usize {
    let mut idle = Vec::new();
    let connection = AsyncDropGuard::live(Connection { id: 7 });
    scope!(connection, async |connection| {
        idle.push(connection.id);
        (connection.async_drop().await.proof, ())
    })
    .await;
    idle.len()
}

fn main() {
    assert_eq!(futures::executor::block_on(use_and_keep()), 1);
}
