//! Misuse: cleaning up a clone, and returning its proof instead of the proof of the scope's handle (E0277)
//! Why it matters: the scope's handle would be forgotten; if it is the last one, the connection stays open.
//! Fix: clean up the scope's own handle, too, and return its proof: the clone's proof is `Unscoped`.
//! Rule: The rule of brands

use async_trait::async_trait;
use livedrop::sync::AsyncDropShared;
use livedrop::{AsyncDrop, AsyncDropGuard, Live, scope};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn open() -> AsyncDropGuard<Connection, Live> {
    AsyncDropGuard::live(Connection)
}

async fn run() {
    let shared = AsyncDropShared::new(open());
    scope!(shared, async |shared| {
        let clone = AsyncDropShared::clone(&shared);
        (clone.async_drop().await.proof, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(run());
}
