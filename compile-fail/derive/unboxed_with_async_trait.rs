//! Misuse: both macros above one `impl` (takes the place of `#[async_trait]`)
//! Why it matters: each of them makes two methods out of one, or one out of another.
//! Fix: keep `#[livedrop::unboxed]` alone.
//! Rule: Say how to clean up

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Socket;

#[livedrop::unboxed]
#[async_trait]
impl AsyncDrop for Socket {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn main() {
    let mut socket = AsyncDropGuard::new(Socket);
    futures::executor::block_on(socket.async_drop()).unwrap();
}
