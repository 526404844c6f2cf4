//! Misuse: storing the scoped guard in a variable outside the scope (lifetime may not live long enough)
//! Why it matters: outside the scope, nothing would require its cleanup.
//! Fix: return only plain values; in a pool, store guards that belong to no scope.
//! Rule: A scoped guard ends in its scope

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection {
    id: u32,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn use_and_keep() -> usize {
    let mut idle = Vec::new();
    let connection = AsyncDropGuard::live(Connection { id: 7 });
    scope!(connection, async |connection| {
        idle.push(connection);
        let oldest = idle.remove(0);
        (oldest.async_drop().await.proof, ())
    })
    .await;
    idle.len()
}

fn main() {
    futures::executor::block_on(use_and_keep());
}
