//! Misuse: converting a scoped guard into a `Checked` one, to clean it up with `&mut self` (E0277)
//! Why it matters: a `Checked` guard gives no proof, so the scope could not know whether it was cleaned up.
//! Fix: clean up the scoped guard itself: `async_drop` consumes it and returns the proof.
//! Rule: A scoped guard ends in its scope

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
            let mut connection = AsyncDropGuard::into_checked(connection);
            let closed = connection.async_drop().await;
            std::process::exit(if closed.is_ok() { 1 } else { 2 });
        }
        connection.async_drop().await.after(Ok(()))
    })
    .await
}

fn main() {
    futures::executor::block_on(serve()).unwrap();
}
