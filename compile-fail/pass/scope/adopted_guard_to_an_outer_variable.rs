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
        idle.push(reaper.adopt(request));
        let next = idle.remove(0);
        scope!(next, async |next| (next.async_drop().await.proof, ())).await;
    }
}

fn main() {
    futures::executor::block_on(async {
        let mut reaper = Reaper::new();
        serve(&reaper).await;
        reaper.async_drop().await.unwrap();
    });
}
