//! Misuse: calling the value's own `async_drop_impl` through its guard (E0277)
//! Why it matters: the guard does not notice it, and would clean up the task a second time.
//! Fix: call `async_drop` on the guard.
//! Rule: Clean up once

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
    worker.async_drop_impl().await
}

fn main() {
    let worker = AsyncDropGuard::new(Worker { running: true });
    futures::executor::block_on(stop(worker)).unwrap();
}
