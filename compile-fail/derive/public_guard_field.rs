//! Misuse: a `pub` field that the derive cleans up (the guarded field `socket` is `pub`)
//! Why it matters: code outside the module could move the guard out of the field, and the owner would clean up another one.
//! Fix: make the field private, and give access to the value with a method.
//! Rule: Types with guard members implement `AsyncDrop`

use livedrop::{AsyncDrop, AsyncDropGuard};

pub struct Socket;

#[livedrop::unboxed]
impl AsyncDrop for Socket {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[derive(AsyncDrop)]
pub struct Client {
    pub socket: AsyncDropGuard<Socket>,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client { socket: AsyncDropGuard::new(Socket) });
    futures::executor::block_on(client.async_drop()).unwrap();
}
