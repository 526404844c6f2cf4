//! Misuse: passing a `Checked` guard to `scope` (E0277)
//! Why it matters: the scope relies on the compiler, which does not check a `Checked` guard.
//! Fix: make the guard with `AsyncDropGuard::live`, convert it with `into_live`, or let a reaper adopt it.
//! Rule: A guard is in one state

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn serve() {
    let connection = AsyncDropGuard::new(Connection);
    scope!(connection, async |connection| (connection.async_drop().await.proof, ())).await;
}

fn main() {
    futures::executor::block_on(serve());
}
