//! Misuse: using a value after its guard was cleaned up (E0382)
//! Why it matters: a message over a closed connection is lost, or reaches another client.
//! Fix: use the value first, because `async_drop` consumes its guard.
//! Rule: After the cleanup the value is gone

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
    connection.async_drop().await.result?;
    connection.send("bye").await;
    Ok(())
}

fn main() {
    futures::executor::block_on(say_goodbye()).unwrap();
}
