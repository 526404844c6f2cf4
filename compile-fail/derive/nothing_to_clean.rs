//! Misuse: deriving `AsyncDrop` for a type without a guard (`Client` has nothing to clean up)
//! Why it matters: the cleanup would do nothing, and every caller would still have to await it.
//! Fix: mark the field whose type has a cleanup, or remove the derive.
//! Rule: Types with guard members implement `AsyncDrop`

use livedrop::{AsyncDrop, AsyncDropGuard};

struct Socket;

#[livedrop::unboxed]
impl AsyncDrop for Socket {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[derive(AsyncDrop)]
struct Client {
    socket: Socket,
    retries: u8,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client { socket: Socket, retries: 3 });
    futures::executor::block_on(client.async_drop()).unwrap();
}
