use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Worker {
    name: &'static str,
}

#[async_trait]
impl AsyncDrop for Worker {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        println!("{} stopped", self.name);
        Ok(())
    }
}

async fn replace() {
    let old = AsyncDropGuard::live(Worker { name: "old" });
    let stopped = old.async_drop().await.proof;
    println!("{stopped:?}");
    let new = AsyncDropGuard::live(Worker { name: "new" });
    scope!(new, async |new| {
        println!("{} runs", new.name);
        (new.async_drop().await.proof, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(replace());
}
