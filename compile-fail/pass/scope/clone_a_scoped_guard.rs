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
        channel.send("bye").await;
        let closed = channel.async_drop().await.proof;
        (closed, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(say_goodbye());
}
