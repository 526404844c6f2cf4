//! Misuse: fields whose errors do not convert into one type (E0277)
//! Why it matters: the errors of all fields are returned together, so they need a common type.
//! Fix: name an error that implements `From` for each field's error: `#[async_drop(error = Error)]`.
//! Rule: No error is lost

use livedrop::{AsyncDrop, AsyncDropGuard};

struct Socket;

#[livedrop::unboxed]
impl AsyncDrop for Socket {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct Process;

#[livedrop::unboxed]
impl AsyncDrop for Process {
    type Error = std::num::TryFromIntError;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        u8::try_from(255_u32).map(|_| ())
    }
}

#[derive(AsyncDrop)]
struct Client {
    socket: AsyncDropGuard<Socket>,
    process: AsyncDropGuard<Process>,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client {
        socket: AsyncDropGuard::new(Socket),
        process: AsyncDropGuard::new(Process),
    });
    futures::executor::block_on(client.async_drop()).unwrap();
}
