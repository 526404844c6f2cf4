use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Reader {
    connection: AsyncDropGuard<Connection, Live>,
}

fn main() {
    let reader = Reader { connection: AsyncDropGuard::live(Connection) };
    futures::executor::block_on(reader.connection.async_drop()).result.unwrap();
}
