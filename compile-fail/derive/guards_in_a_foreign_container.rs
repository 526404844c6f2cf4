//! Misuse: a map of guards, which the derive cannot clean up (E0277)
//! Why it matters: a plain map does not implement `AsyncDrop`, so its guards would be forgotten.
//! Fix: use an `AsyncDropHashMap`, in a guard of its own.
//! Rule: Types with guard members implement `AsyncDrop`

use std::collections::HashMap;

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
    sockets: HashMap<u16, AsyncDropGuard<Socket>>,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client { sockets: HashMap::new() });
    futures::executor::block_on(client.async_drop()).unwrap();
}
