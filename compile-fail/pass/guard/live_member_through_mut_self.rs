use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Socket;

#[async_trait]
impl AsyncDrop for Socket {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct Client {
    socket: AsyncDropGuard<Socket>,
}

#[async_trait]
impl AsyncDrop for Client {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.socket.async_drop().await
    }
}

fn main() {
    let client = AsyncDropGuard::live(Client { socket: AsyncDropGuard::new(Socket) });
    futures::executor::block_on(client.async_drop()).result.unwrap();
}
