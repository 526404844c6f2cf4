//! Misuse: cleaning up a `Live` member in `async_drop_impl` (E0507)
//! Why it matters: the cleanup borrows its owner, but `async_drop` of a `Live` guard consumes the guard.
//! Fix: make the member a `Checked` guard, which is cleaned up in place.
//! Rule: Types with guard members implement `AsyncDrop`

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

struct Socket;

#[async_trait]
impl AsyncDrop for Socket {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct Client {
    socket: AsyncDropGuard<Socket, Live>,
}

#[async_trait]
impl AsyncDrop for Client {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.socket.async_drop().await.result
    }
}

fn main() {
    let client = AsyncDropGuard::live(Client { socket: AsyncDropGuard::live(Socket) });
    futures::executor::block_on(client.async_drop()).result.unwrap();
}
