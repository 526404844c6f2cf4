//! Misuse: `#[livedrop::unboxed]` above the type (works only on an `impl AsyncDrop for …`)
//! Why it matters: the macro generates two methods from `async_drop_impl`, and here there is no method.
//! Fix: write it above `impl AsyncDrop for …`.
//! Rule: Every guarded value has a cleanup

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
