//! Misuse: deriving `AsyncDrop` for a union (a union cannot be cleaned up)
//! Why it matters: nobody knows which field of a union is there, so that nobody knows what to clean up.
//! Fix: make it an enum, which knows its active variant.
//! Rule: Say how to clean up

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
union Either {
    socket: std::mem::ManuallyDrop<AsyncDropGuard<Socket>>,
    number: u8,
}

fn main() {
    let _either = Either { number: 1 };
}
