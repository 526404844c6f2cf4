use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Container {
    name: &'static str,
}

#[async_trait]
impl AsyncDrop for Container {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        println!("{} removed", self.name);
        Ok(())
    }
}

async fn run_tests() {
    let container = AsyncDropGuard::live(Container { name: "postgres" });
    scope!(container, async |container| {
        println!("testing against {}", container.name);
        (container.async_drop().await.proof, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(run_tests());
}
