use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn shut_down() -> io::Result<()> {
    let connection = AsyncDropGuard::live(Connection);
    let closed = connection.async_drop().await.into_result()?;
    println!("{closed:?}");
    Ok(())
}

fn main() {
    futures::executor::block_on(shut_down()).unwrap();
}
