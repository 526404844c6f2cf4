//! Misuse: cleaning up a proof (E0277)
//! Why it matters: the variable is still called `connection`, but the connection is gone.
//! Fix: call `async_drop` once; a proof owes nothing and may be dropped.
//! Rule: Clean up once

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn shut_down() -> io::Result<()> {
    let connection = AsyncDropGuard::live(Connection);
    let connection = connection.async_drop().await.into_result()?;
    connection.async_drop().await.result
}

fn main() {
    futures::executor::block_on(shut_down()).unwrap();
}
