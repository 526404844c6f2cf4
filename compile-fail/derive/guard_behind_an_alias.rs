//! Misuse: a guard behind a type alias, which the derive cannot see (whose cleanup would be forgotten)
//! Why it matters: the derive goes by the words of a type; without this error the alias would be a forgotten guard.
//! Fix: mark the field: `#[async_drop]`, or `#[async_drop(skip)]` if others clean it up.
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

type Connection = AsyncDropGuard<Socket>;

#[derive(AsyncDrop)]
struct Client {
    control: AsyncDropGuard<Socket>,
    data: Connection,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client {
        control: AsyncDropGuard::new(Socket),
        data: AsyncDropGuard::new(Socket),
    });
    futures::executor::block_on(client.async_drop()).unwrap();
}
