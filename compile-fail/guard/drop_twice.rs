//! Misuse: cleaning up the same `Live` guard twice (E0382)
//! Why it matters: the second close could hit a connection that another client has opened.
//! Fix: call `async_drop` once; it consumes the guard.
//! Rule: Clean up once

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn shut_down() -> std::io::Result<()> {
    let connection = AsyncDropGuard::live(Connection);
    connection.async_drop().await.result?;
    connection.async_drop().await.result?;
    Ok(())
}

fn main() {
    futures::executor::block_on(shut_down()).unwrap();
}
