//! Misuse: silencing the guard with `std::mem::forget` (E0277)
//! Why it matters: without the guard there is no panic, but also no cleanup.
//! Fix: clean up; if the value must outlive the scope, take it out of its guard before the scope.
//! Rule: Every way out of a scope has the proof

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
        std::mem::forget(container);
    })
    .await;
}

fn main() {
    futures::executor::block_on(run_tests());
}
