//! Misuse: `#[livedrop::unboxed]` above the type (stands above an implementation of `AsyncDrop`)
//! Why it matters: it makes two methods of the one that is written there, and here there is none.
//! Fix: write it above `impl AsyncDrop for …`.
//! Rule: Say how to clean up

use livedrop::{AsyncDrop, AsyncDropGuard};

#[livedrop::unboxed]
struct Socket;

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
