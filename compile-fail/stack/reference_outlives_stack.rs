//! Misuse: using a value on a stack after the stack was cleaned up (E0505)
//! Why it matters: the cleanup has closed the connection, and the stack has dropped the value.
//! Fix: keep the key, not the reference, and use the value before the cleanup.
//! Rule: After the cleanup the value is gone

use async_trait::async_trait;
use livedrop::collections::AsyncDropStack;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

impl Connection {
    async fn send(&self, _text: &str) {}
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn run() {
    let mut stack = AsyncDropStack::live();
    let key = stack.push(AsyncDropGuard::live(Connection));
    let connection = &stack[key];
    stack.async_drop().await.result.unwrap();
    connection.send("bye").await;
}

fn main() {
    futures::executor::block_on(run());
}
