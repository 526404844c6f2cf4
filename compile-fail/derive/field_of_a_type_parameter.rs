//! Misuse: an unmarked field whose type is a type parameter (may be or contain a type with a cleanup)
//! Why it matters: the caller chooses the type; if it is a guard, the derive would skip its cleanup.
//! Fix: mark the field: `#[async_drop]` to clean it up, or `#[async_drop(skip)]`.
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
struct Client<T> {
    control: AsyncDropGuard<Socket>,
    data: T,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client {
        control: AsyncDropGuard::new(Socket),
        data: AsyncDropGuard::new(Socket),
    });
    futures::executor::block_on(client.async_drop()).unwrap();
}
