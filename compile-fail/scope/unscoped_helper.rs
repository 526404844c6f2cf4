//! Misuse: passing the scoped guard to a helper for unscoped guards (E0308)
//! Why it matters: the helper gives no proof of this scope: its signature does not say whose guard it takes.
//! Fix: let the helper take a `ScopedGuard` and return the `Proof` of the same scope.
//! Rule: The rule of brands

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Live, scope};

struct Connection {
    refused: bool,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn hang_up(connection: AsyncDropGuard<Connection, Live>) -> io::Result<()> {
    println!("refused");
    connection.async_drop().await.result
}

async fn visit(refused: bool) -> io::Result<()> {
    let connection = AsyncDropGuard::live(Connection { refused });
    scope!(connection, async |connection| {
        if connection.refused {
            let closed = hang_up(connection).await;
            std::process::exit(if closed.is_ok() { 1 } else { 2 });
        }
        connection.async_drop().await.after(Ok(()))
    })
    .await
}

fn main() {
    futures::executor::block_on(visit(false)).unwrap();
}
