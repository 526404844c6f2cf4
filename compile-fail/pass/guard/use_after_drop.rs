use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection {
    sent: Vec<String>,
}

impl Connection {
    async fn send(&mut self, message: &str) {
        self.sent.push(message.to_owned());
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn say_goodbye() -> std::io::Result<()> {
    let mut connection = AsyncDropGuard::live(Connection { sent: Vec::new() });
    connection.send("hello").await;
    connection.send("bye").await;
    connection.async_drop().await.result?;
    Ok(())
}

fn main() {
    futures::executor::block_on(say_goodbye()).unwrap();
}
