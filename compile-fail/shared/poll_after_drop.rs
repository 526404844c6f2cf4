//! Misuse: awaiting a shared future through a handle that was cleaned up (E0505)
//! Why it matters: if it was the last handle, it has closed the connection, and there is nothing to wait for.
//! Fix: await first, or await another handle, and clean that one up as well.
//! Rule: After the cleanup the value is gone

use async_trait::async_trait;
use livedrop::sync::AsyncDropShared;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

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
    let connection = shared.get();
    shared.async_drop().await.result.unwrap();
    connection.await.unwrap().async_drop().await.result.unwrap();
}

fn main() {
    futures::executor::block_on(run());
}
