//! Misuse: a generic field whose error does not convert into the type's error (E0277)
//! Why it matters: the caller chooses the field's type, so its error is only known where the struct is used.
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
struct Client<T> {
    socket: AsyncDropGuard<Socket>,
    other: AsyncDropGuard<T>,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client {
        socket: AsyncDropGuard::new(Socket),
        other: AsyncDropGuard::new(Process),
    });
    futures::executor::block_on(client.async_drop()).unwrap();
}
