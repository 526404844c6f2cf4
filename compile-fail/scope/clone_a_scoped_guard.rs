//! Misuse: cloning the scoped guard, to clean up the clone and keep the original (E0599)
//! Why it matters: the clone's proof would satisfy the scope, and the original would be forgotten.
//! Fix: use the one guard for everything, and clean it up last.
//! Rule: The rule of brands

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Channel;

impl Channel {
    async fn send(&mut self, message: &str) {
        println!("{message}");
    }
}

#[async_trait]
impl AsyncDrop for Channel {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn say_goodbye() {
    let channel = AsyncDropGuard::live(Channel);
    scope!(channel, async |mut channel| {
        let closed = channel.clone().async_drop().await.proof;
        channel.send("bye").await;
        (closed, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(say_goodbye());
}
