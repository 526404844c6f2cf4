//! Misuse: a factory that returns the plain value, and a caller that cleans it up (E0308)
//! Why it matters: without a guard, nothing records that a cleanup is owed.
//! Fix: let the factory return the guard: `AsyncDropGuard::new(value)`.
//! Rule: Factory methods return guards

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, with_async_drop};

struct Connection;

impl Connection {
    async fn open() -> io::Result<Self> {
        Ok(Connection)
    }

    async fn query(&mut self) -> io::Result<u32> {
        Ok(1)
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn count() -> io::Result<u32> {
    let connection = Connection::open().await?;
    with_async_drop!(connection, { connection.query().await })
}

fn main() {
    assert_eq!(futures::executor::block_on(count()).unwrap(), 1);
}
