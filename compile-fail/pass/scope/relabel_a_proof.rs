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

fn logged(proof: Proof<'_, Connection>) -> Proof<'_, Connection> {
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
