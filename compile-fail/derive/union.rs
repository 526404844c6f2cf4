//! Misuse: deriving `AsyncDrop` for a union (a union cannot be cleaned up)
//! Why it matters: a union does not record which field is active, so the derive cannot know which one to clean up.
//! Fix: make it an enum, which records its active variant.
//! Rule: Every guarded value has a cleanup

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
