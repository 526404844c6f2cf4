//! Misuse: returning the proof of what `pop_all` gave for that of the stack itself (E0277)
//! Why it matters: what is pushed on the stack afterwards would never be cleaned up.
//! Fix: `Unscoped` is the proof of the other stack: clean that one up, too, and return the scope's own.
//! Rule: The rule of brands

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
        (popped.async_drop().await.proof, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(run());
}
