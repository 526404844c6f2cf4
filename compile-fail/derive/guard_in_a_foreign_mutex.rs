//! Misuse: a guard in a mutex of the standard library, which the derive cannot clean up (E0277)
//! Why it matters: any task that locks such a mutex could clean up or replace the guard, and the mutex itself has no cleanup.
//! Fix: use an `AsyncDropMutex` or an `AsyncDropTokioMutex`, in a guard of its own.
//! Rule: Types with guard members implement `AsyncDrop`

use std::sync::Mutex;

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
    socket: Mutex<Option<AsyncDropGuard<Socket>>>,
}

fn main() {
    let socket = Mutex::new(Some(AsyncDropGuard::new(Socket)));
    let mut client = AsyncDropGuard::new(Client { socket });
    futures::executor::block_on(client.async_drop()).unwrap();
}
