//! Misuse: deriving `AsyncDrop` for a type without a guard (`Client` has nothing to clean up)
//! Why it matters: its cleanup would do nothing, and everybody who uses it would still have to await that.
//! Fix: mark the field whose type has a cleanup, or leave the derive out.
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
