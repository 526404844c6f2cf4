//! Misuse: converting a proof back into a live guard, to use the connection again (E0308)
//! Why it matters: the connection is closed, and its value is gone.
//! Fix: open a new connection, and guard it.
//! Rule: A proof comes from its cleanup only

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

struct Connection;

impl Connection {
    async fn open() -> AsyncDropGuard<Connection, Live> {
        AsyncDropGuard::live(Connection)
    }

    async fn ping(&mut self) {}
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn reconnect() {
    let old = Connection::open().await;
    let closed = old.async_drop().await.proof;
    let mut connection: AsyncDropGuard<Connection, Live> = closed;
    connection.ping().await;
    let _closed = connection.async_drop().await.proof;
}

fn main() {
    futures::executor::block_on(reconnect());
}
