//! Misuse: both macros above one `impl`, in the other order (replaces `#[async_trait]`)
//! Why it matters: `#[async_trait]` boxes the method before `#[livedrop::unboxed]` sees it.
//! Fix: keep `#[livedrop::unboxed]` alone.
//! Rule: Every guarded value has a cleanup

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Socket;

#[async_trait]
#[livedrop::unboxed]
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
