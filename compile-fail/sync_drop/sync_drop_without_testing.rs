//! Misuse: blocking in `Drop`, outside tests (E0432)
//! Why it matters: a blocked thread polls nothing; on a current-thread runtime it blocks the cleanup itself.
//! Fix: await the cleanup, as `with_async_drop` does; in tests, enable the feature `testing`.
//! Rule: Nothing blocks

use async_trait::async_trait;
use livedrop::testing::SyncDrop;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

impl Connection {
    async fn send(&self, _text: &str) {}
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn run() {
    let connection = SyncDrop::new(AsyncDropGuard::new(Connection));
    connection.send("hello").await;
}

fn main() {
    futures::executor::block_on(run());
}
