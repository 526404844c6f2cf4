//! Misuse: a field that is marked to be cleaned up and to be left alone (contradict each other)
//! Why it matters: one of the two is a mistake, and the wrong one would leak the value or clean it up twice.
//! Fix: keep the one that is meant.
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
