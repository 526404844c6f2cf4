//! Misuse: cleaning up what is a proof already (E0277)
//! Why it matters: the name is still `connection`, but the connection is gone.
//! Fix: call `async_drop` once; the proof owes nothing and may just be dropped.
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
