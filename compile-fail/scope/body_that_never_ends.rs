//! Misuse: a body that is a `loop` without a `break` (E0277)
//! Why it matters: the scope would never end, and the connection would never be closed.
//! Fix: leave the loop with `break`, and clean up after it.
//! Rule: Every way out of a scope has the proof

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
        loop {
            connection.ping().await;
        }
    })
    .await
}

fn main() {
    futures::executor::block_on(keep_alive());
}
