//! Misuse: both macros above one `impl` (replaces `#[async_trait]`)
//! Why it matters: both macros rewrite the same method.
//! Fix: keep `#[livedrop::unboxed]` alone.
//! Rule: Every guarded value has a cleanup

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
