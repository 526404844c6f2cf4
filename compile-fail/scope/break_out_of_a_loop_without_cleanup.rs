//! Misuse: breaking out of the loop with only the result (E0277)
//! Why it matters: the subscription would stay open, and its messages would pile up.
//! Fix: break with the value, and clean up after the loop.
//! Rule: Every way out of a scope has the proof

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Subscription {
    messages: Vec<&'static str>,
}

impl Subscription {
    async fn next(&mut self) -> Option<&'static str> {
        self.messages.pop()
    }
}

#[async_trait]
impl AsyncDrop for Subscription {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn wait_for_stop(subscription: Subscription) -> u32 {
    let subscription = AsyncDropGuard::live(subscription);
    scope!(subscription, async |mut subscription| {
        let mut seen = 0;
        loop {
            match subscription.next().await {
                Some("stop") | None => break seen,
                Some(_) => seen += 1,
            }
        }
    })
    .await
}

fn main() {
    let subscription = Subscription { messages: vec!["stop", "go"] };
    assert_eq!(futures::executor::block_on(wait_for_stop(subscription)), 1);
}
