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
    stack[key].send("bye").await;
    stack.async_drop().await.result.unwrap();
}

fn main() {
    futures::executor::block_on(run());
}
