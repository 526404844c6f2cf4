use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};

struct Connection;

impl Connection {
    async fn send(&self, _text: &str) {}
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn run() {
    let connection = AsyncDropGuard::new(Connection);
    let sent = with_async_drop(connection, async |connection| {
        connection.send("hello").await;
        Ok::<_, std::io::Error>(())
    });
    sent.await.unwrap();
}

fn main() {
    futures::executor::block_on(run());
}
