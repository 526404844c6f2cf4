//! Misuse: a field that is marked both to be cleaned up and to be skipped (contradict each other)
//! Why it matters: one of the marks is a mistake; the wrong one would leak the value or clean it up twice.
//! Fix: keep the mark that is meant.
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
    #[async_drop]
    #[async_drop(skip)]
    socket: AsyncDropGuard<Socket>,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client { socket: AsyncDropGuard::new(Socket) });
    futures::executor::block_on(client.async_drop()).unwrap();
}
