use async_trait::async_trait;
use livedrop::collections::AsyncDropStack;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn run() {
    scope!(AsyncDropStack::live(), async |mut stack| {
        let popped = stack.pop_all();
        stack.push(AsyncDropGuard::live(Connection));
        let result = popped.async_drop().await.result;
        stack.async_drop().await.after(result)
    })
    .await
    .unwrap();
}

fn main() {
    futures::executor::block_on(run());
}
