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
        let result = clone.async_drop().await.result;
        shared.async_drop().await.after(result)
    })
    .await
    .unwrap();
}

fn main() {
    futures::executor::block_on(run());
}
