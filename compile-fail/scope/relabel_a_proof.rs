//! Misuse: using the outer scope's proof as the inner scope's, through a helper (lifetime may not live long enough)
//! Why it matters: the inner connection would be forgotten, and the outer scope's proof would hide it.
//! Fix: let the helper return the proof with the lifetime of its parameter.
//! Rule: The rule of brands

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::scope::Proof;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

fn logged<'inner, 'outer: 'inner>(proof: Proof<'outer, Connection>) -> Proof<'inner, Connection> {
    println!("{proof:?}");
    proof
}

async fn close() {
    let connection = AsyncDropGuard::live(Connection);
    scope!(connection, async |connection| (logged(connection.async_drop().await.proof), ())).await;
}

fn main() {
    futures::executor::block_on(close());
}
