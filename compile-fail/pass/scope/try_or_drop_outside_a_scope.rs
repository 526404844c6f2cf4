use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope, try_or_drop};

struct Connection;

impl Connection {
    async fn query(&mut self, _: &str) -> io::Result<u32> {
        Ok(3)
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn count() -> io::Result<u32> {
    scope!(AsyncDropGuard::live(Connection), async |mut connection| {
        let users = try_or_drop!(connection, connection.query("count users").await);
        connection.async_drop().await.after(Ok(users))
    })
    .await
}

fn main() {
    assert_eq!(futures::executor::block_on(count()).unwrap(), 3);
}
