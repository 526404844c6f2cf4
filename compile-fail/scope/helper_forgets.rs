//! Misuse: a helper that takes the scoped guard and returns nothing (E0277)
//! Why it matters: the caller cannot know whether the helper cleans up, and this helper does not.
//! Fix: return a `Proof` from every function that takes a `ScopedGuard`.
//! Rule: Every way out of a scope has the proof

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::scope::ScopedGuard;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection {
    user: &'static str,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn log_out(connection: ScopedGuard<'_, Connection>) {
    println!("bye, {}", connection.user);
}

async fn visit() {
    let connection = AsyncDropGuard::live(Connection { user: "ada" });
    scope!(connection, async |connection| (log_out(connection).await, ())).await;
}

fn main() {
    futures::executor::block_on(visit());
}
