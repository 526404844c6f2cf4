use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Worker {
    running: bool,
}

#[async_trait]
impl AsyncDrop for Worker {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.running = false;
        Ok(())
    }
}

async fn stop(mut worker: AsyncDropGuard<Worker>) -> Result<(), Infallible> {
    worker.async_drop().await
}

fn main() {
    let worker = AsyncDropGuard::new(Worker { running: true });
    futures::executor::block_on(stop(worker)).unwrap();
}
