//! Misuse: both macros above one `impl`, the other way round (takes the place of `#[async_trait]`)
//! Why it matters: the method is boxed before `#[livedrop::unboxed]` sees it.
//! Fix: keep `#[livedrop::unboxed]` alone.
//! Rule: Say how to clean up

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
