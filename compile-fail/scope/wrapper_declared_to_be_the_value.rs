//! Misuse: declaring that the scope of a handle is a scope of the connection (E0308)
//! Why it matters: a handle can be cleaned up while another one keeps the connection open.
//! Fix: take the guard out of the last handle with `AsyncDropArc::into_inner`, and clean it up.
//! Rule: The rule of brands

use async_trait::async_trait;
use livedrop::scope::Proof;
use livedrop::scope::SameValue;
use livedrop::state::Scoped;
use livedrop::sync::AsyncDropArc;
use livedrop::{AsyncDrop, AsyncDropGuard, Live, scope};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl<'brand> SameValue<Connection> for AsyncDropArc<Connection, Live<Scoped<'brand>>> {
    fn itself<'scope>(proof: Proof<'scope, Self>) -> Proof<'scope, Connection> {
        proof
    }
}

async fn share(connection: Connection) {
    scope!(AsyncDropGuard::live(connection), async |connection| {
        let first = AsyncDropArc::new(connection);
        let second = AsyncDropArc::clone(&first);
        std::mem::forget(first);
        (second.async_drop().await.proof, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(share(Connection));
}
