use std::marker::PhantomData;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct ReadOnly;

struct Marked<M> {
    connection: AsyncDropGuard<Connection, Live>,
    mark: PhantomData<M>,
}

async fn close(reader: Marked<ReadOnly>) -> std::io::Result<()> {
    reader.connection.async_drop().await.result
}

fn main() {
    let reader = Marked { connection: AsyncDropGuard::live(Connection), mark: PhantomData };
    futures::executor::block_on(close(reader)).unwrap();
}
