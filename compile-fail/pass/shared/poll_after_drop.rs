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
    connection.await.unwrap().async_drop().await.result.unwrap();
    shared.async_drop().await.result.unwrap();
}

fn main() {
    futures::executor::block_on(run());
}
