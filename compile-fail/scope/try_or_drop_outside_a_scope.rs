//! Misuse: `try_or_drop!` in a function that returns a plain `Result` (E0277)
//! Why it matters: the macro returns the proof beside the error, and only a scope takes the proof.
//! Fix: open a scope, and use the macro in its body.
//! Rule: Every way out of a scope has the proof

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, try_or_drop};

struct Connection;

impl Connection {
    async fn query(&mut self, _: &str) -> io::Result<u32> {
        Ok(3)
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
    let mut connection = AsyncDropGuard::live(Connection);
    let users = try_or_drop!(connection, connection.query("count users").await);
    connection.async_drop().await.result?;
    Ok(users)
}

fn main() {
    assert_eq!(futures::executor::block_on(count()).unwrap(), 3);
}
