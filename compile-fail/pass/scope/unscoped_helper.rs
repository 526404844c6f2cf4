use std::io;

use async_trait::async_trait;
use livedrop::scope::{Proof, ScopedGuard};
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

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

async fn hang_up(
    connection: ScopedGuard<'_, Connection>,
) -> (Proof<'_, Connection>, io::Result<()>) {
    println!("refused");
    connection.async_drop().await.after(Err(io::Error::other("refused")))
}

async fn visit(refused: bool) -> io::Result<()> {
    let connection = AsyncDropGuard::live(Connection { refused });
    scope!(connection, async |connection| {
        if connection.refused {
            return hang_up(connection).await;
        }
        connection.async_drop().await.after(Ok(()))
    })
    .await
}

fn main() {
    futures::executor::block_on(visit(false)).unwrap();
}
