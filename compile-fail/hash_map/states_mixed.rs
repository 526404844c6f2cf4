//! Misuse: inserting a `Checked` guard into a map of `Live` ones (E0277)
//! Why it matters: the map promises the guarantee of `Live` guards, and a `Checked` guard does not give it.
//! Fix: create the guard with `AsyncDropGuard::live(value)`, or convert it with `into_live`.
//! Rule: A guard is in one state

use async_trait::async_trait;
use livedrop::collections::AsyncDropHashMap;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn serve() {
    let mut peers: AsyncDropGuard<AsyncDropHashMap<u32, Connection, Live>, Live> =
        AsyncDropHashMap::live();
    peers.try_insert(1, AsyncDropGuard::live(Connection)).unwrap();
    peers.try_insert(2, AsyncDropGuard::new(Connection)).unwrap();
    peers.async_drop().await.result.unwrap();
}

fn main() {
    futures::executor::block_on(serve());
}
