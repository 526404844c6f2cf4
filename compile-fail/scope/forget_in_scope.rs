//! Misuse: leaving the scope without cleaning up (E0277)
//! Why it matters: the connection would stay open on the server until it times out.
//! Fix: end the body with the proof and the result: `(connection.async_drop().await.proof, rows)`.
//! Rule: Every way out of a scope has the proof

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection;

impl Connection {
    async fn count(&mut self) -> u32 {
        3
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn count() -> u32 {
    let connection = AsyncDropGuard::live(Connection);
    scope!(connection, async |mut connection| {
        let rows = connection.count().await;
        rows
    })
    .await
}

fn main() {
    assert_eq!(futures::executor::block_on(count()), 3);
}
