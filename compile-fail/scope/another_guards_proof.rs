//! Misuse: cleaning up another guard in the body, and returning its proof (E0277)
//! Why it matters: the replica was closed, and the primary was not.
//! Fix: return the proof of the scope's own guard.
//! Rule: The rule of brands

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Database {
    name: &'static str,
}

#[async_trait]
impl AsyncDrop for Database {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        println!("{} closed", self.name);
        Ok(())
    }
}

async fn copy() {
    let primary = AsyncDropGuard::live(Database { name: "primary" });
    let replica = AsyncDropGuard::live(Database { name: "replica" });
    scope!(primary, async |primary| {
        println!("copying {} to {}", primary.name, replica.name);
        (replica.async_drop().await.proof, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(copy());
}
