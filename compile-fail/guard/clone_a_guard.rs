//! Misuse: cloning a guard, to use its connection in two places (E0599)
//! Why it matters: with two guards for one connection, the first cleanup would close it for both.
//! Fix: lend the value to both places, and keep one guard.
//! Rule: Clean up once

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

async fn ping(mut connection: AsyncDropGuard<Connection>) -> io::Result<()> {
    println!("ping");
    connection.async_drop().await
}

async fn ping_twice() -> io::Result<()> {
    let connection = AsyncDropGuard::new(Connection);
    let first = ping(connection.clone());
    let second = ping(connection);
    let (first, second) = join(first, second).await;
    first.and(second)
}

fn main() {
    futures::executor::block_on(ping_twice()).unwrap();
}
