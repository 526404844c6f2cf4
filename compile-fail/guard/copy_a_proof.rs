//! Misuse: passing the same proof twice (E0382)
//! Why it matters: one finished job would be counted as two.
//! Fix: a proof is moved like any other value: pass each proof once.
//! Rule: A proof comes from its cleanup only

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Dropped};

struct Job;

#[async_trait]
impl AsyncDrop for Job {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[derive(Default)]
struct Done(Vec<AsyncDropGuard<Job, Dropped>>);

async fn run(done: &mut Done) {
    let first = AsyncDropGuard::live(Job);
    let proof = first.async_drop().await.proof;
    done.0.push(proof);
    done.0.push(proof);
}

fn main() {
    let mut done = Done::default();
    futures::executor::block_on(run(&mut done));
    assert_eq!(done.0.len(), 2);
}
