//! Misuse: a `Live` guard as a field of a type that is cleaned up (a `Live` guard is cleaned up by value)
//! Why it matters: the cleanup borrows its owner, but `async_drop` of a `Live` guard consumes the guard.
//! Fix: make the field a `Checked` guard, which is cleaned up in place.
//! Rule: A guard is in one state

use livedrop::{AsyncDrop, AsyncDropGuard, Live};

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
    socket: AsyncDropGuard<Socket, Live>,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client { socket: AsyncDropGuard::live(Socket) });
    futures::executor::block_on(client.async_drop()).unwrap();
}
