use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::scope::{Proof, ScopedGuard};
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection {
    user: &'static str,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn log_out(connection: ScopedGuard<'_, Connection>) -> Proof<'_, Connection> {
    println!("bye, {}", connection.user);
    connection.async_drop().await.proof
}

async fn visit() {
    let connection = AsyncDropGuard::live(Connection { user: "ada" });
    scope!(connection, async |connection| (log_out(connection).await, ())).await;
}

fn main() {
    futures::executor::block_on(visit());
}
