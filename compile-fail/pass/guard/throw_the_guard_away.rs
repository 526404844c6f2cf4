#![deny(unused_must_use)]

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

impl Connection {
    async fn open(host: &str) -> io::Result<AsyncDropGuard<Connection>> {
        println!("connected to {host}");
        Ok(AsyncDropGuard::new(Connection))
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn wake_up() -> io::Result<()> {
    let mut connection = Connection::open("printer").await?;
    connection.async_drop().await
}

fn main() {
    futures::executor::block_on(wake_up()).unwrap();
}
