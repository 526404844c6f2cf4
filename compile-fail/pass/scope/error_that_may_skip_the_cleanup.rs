//! The body keeps its `Result`, cleans up, and returns it.

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

#[derive(Debug)]
struct Refused;

struct Connection;

impl Connection {
    async fn send(&mut self) -> Result<(), Refused> {
        Err(Refused)
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Refused;

    async fn async_drop_impl(&mut self) -> Result<(), Refused> {
        Ok(())
    }
}

async fn send(connection: Connection) -> Result<(), Refused> {
    scope!(AsyncDropGuard::live(connection), async |mut connection| {
        let sent = connection.send().await;
        connection.async_drop().await.after(sent)
    })
    .await
}

fn main() {
    assert!(futures::executor::block_on(send(Connection)).is_err());
}
