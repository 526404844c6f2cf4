//! Misuse: returning the reference that the body borrows (lifetime may not live long enough)
//! Why it matters: when `with_async_drop` returns, the connection is closed and dropped.
//! Fix: return the data that was read through it, not the reference.
//! Rule: After the cleanup the value is gone

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};

struct Connection {
    banner: String,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn greet() -> io::Result<String> {
    let connection = AsyncDropGuard::new(Connection { banner: "hello".into() });
    let connection =
        with_async_drop(connection, async |connection| io::Result::Ok(connection)).await?;
    Ok(connection.banner.clone())
}

fn main() {
    assert_eq!(futures::executor::block_on(greet()).unwrap(), "hello");
}
