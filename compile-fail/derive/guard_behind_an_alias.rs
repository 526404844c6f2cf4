//! Misuse: a guard behind a type alias, which the derive cannot see (whose cleanup would be forgotten)
//! Why it matters: the derive sees only the name of the type; without this error it would forget the guard behind the alias.
//! Fix: mark the field: `#[async_drop]`, or `#[async_drop(skip)]` if other code cleans it up.
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
