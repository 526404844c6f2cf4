//! Misuse: `try_or_drop!` with a guard that was cleaned up before (E0382)
//! Why it matters: there is nothing left to drop: the proof is in another variable.
//! Fix: compute everything that can fail first, and clean up last.
//! Rule: Clean up once

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

async fn count(connection: Connection) -> io::Result<u32> {
    scope!(AsyncDropGuard::live(connection), async |mut connection| {
        let users = connection.query("count users").await;
        let outcome = connection.async_drop().await;
        let users = try_or_drop!(connection, users);
        outcome.after(Ok(users + 1))
    })
    .await
}

fn main() {
    assert_eq!(futures::executor::block_on(count(Connection)).unwrap(), 4);
}
