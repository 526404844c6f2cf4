use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection {
    refused: bool,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn serve() -> std::io::Result<()> {
    let connection = AsyncDropGuard::live(Connection { refused: false });
    scope!(connection, async |connection| {
        if connection.refused {
            let closed = connection.async_drop().await.result;
            std::process::exit(if closed.is_ok() { 1 } else { 2 });
        }
        connection.async_drop().await.after(Ok(()))
    })
    .await
}

fn main() {
    futures::executor::block_on(serve()).unwrap();
}
