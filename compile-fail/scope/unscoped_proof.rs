//! Misuse: returning a proof that is older than the scope (E0277)
//! Why it matters: with stored old proofs, every later guard could be forgotten.
//! Fix: clean up in the scope: it accepts only the proof of its own guard.
//! Rule: The rule of brands

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
        (stopped, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(replace());
}
