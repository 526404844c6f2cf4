use std::io;

use async_trait::async_trait;
use futures::future::join;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn ping(_connection: &Connection) {
    println!("ping");
}

async fn ping_twice() -> io::Result<()> {
    let mut connection = AsyncDropGuard::new(Connection);
    let first = ping(&connection);
    let second = ping(&connection);
    join(first, second).await;
    connection.async_drop().await
}

fn main() {
    futures::executor::block_on(ping_twice()).unwrap();
}
