//! Misuse: a helper that is generic over the backing of its guard, without the bound `Backs` (E0599)
//! Why it matters: a reaper can back only a guard whose value is `Send`.
//! Fix: write the bound: `K: Backs<Connection>`.
//! Rule: A guard is in one state

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::scope::{Proof, ScopedGuard};
use livedrop::state::Backing;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope};

struct Connection;

impl Connection {
    async fn ping(&mut self) {}
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn log_out<K: Backing>(
    mut connection: ScopedGuard<'_, Connection, K>,
) -> Proof<'_, Connection> {
    connection.ping().await;
    connection.async_drop().await.proof
}

async fn visit(reaper: &Reaper) {
    let connection = reaper.adopt(AsyncDropGuard::new(Connection));
    scope!(connection, async |connection| (log_out(connection).await, ())).await
}

fn main() {
    futures::executor::block_on(async {
        let mut reaper = Reaper::new();
        visit(&reaper).await;
        reaper.async_drop().await.unwrap();
    });
}
