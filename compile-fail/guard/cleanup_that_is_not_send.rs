//! Misuse: a cleanup that holds an `Rc` across an `.await` (future cannot be sent between threads safely)
//! Why it matters: another thread may finish a cleanup than the one that began it.
//! Fix: drop the `Rc` before the `.await`, or use an `Arc`.
//! Rule: Every guarded value has a cleanup

use std::rc::Rc;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Worker {
    name: String,
}

async fn wait_for(_name: &str) {}

#[async_trait]
impl AsyncDrop for Worker {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        let name: Rc<str> = self.name.as_str().into();
        wait_for(&name).await;
        Ok(())
    }
}

fn main() {
    let mut worker = AsyncDropGuard::new(Worker { name: "mailer".into() });
    futures::executor::block_on(worker.async_drop()).unwrap();
}
