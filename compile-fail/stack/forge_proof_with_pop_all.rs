//! Misuse: returning the proof of the stack from `pop_all` instead of the proof of the scope's stack (E0277)
//! Why it matters: guards that are pushed on the scope's stack afterwards would never be cleaned up.
//! Fix: clean up the other stack, too, and return the proof of the scope's own: the other proof is `Unscoped`.
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
