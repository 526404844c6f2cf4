//! Misuse: moving an adopted guard out of its scope (lifetime may not live long enough)
//! Why it matters: the next request would use a connection whose scope has ended.
//! Fix: keep the `Adopted` guard itself, and open a scope for each request.
//! Rule: A scoped guard ends in its scope

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope};

struct Connection;

impl Connection {
    async fn ping(&mut self) {}
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn serve(reaper: &Reaper) {
    let mut idle = Vec::new();
    for mut request in [AsyncDropGuard::new(Connection), AsyncDropGuard::new(Connection)] {
        request.ping().await;
        scope!(reaper.adopt(request), async |request| {
            idle.push(request);
            let next = idle.remove(0);
            (next.async_drop().await.proof, ())
        })
        .await;
    }
}

fn main() {
    futures::executor::block_on(async {
        let mut reaper = Reaper::new();
        serve(&reaper).await;
        reaper.async_drop().await.unwrap();
    });
}
