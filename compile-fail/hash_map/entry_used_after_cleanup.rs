//! Misuse: using a reference to a map's entry after the map's cleanup (E0502)
//! Why it matters: the cleanup has closed the connection.
//! Fix: use the entry before the cleanup, or take it out of the map with `remove`.
//! Rule: After the cleanup the value is gone

use async_trait::async_trait;
use livedrop::collections::AsyncDropHashMap;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection {
    sent: usize,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn shut_down(mut peers: AsyncDropGuard<AsyncDropHashMap<u32, Connection>>) {
    if let Some(first) = peers.get(&1) {
        peers.async_drop().await.unwrap();
        println!("{} bytes sent", first.sent);
    }
}

fn main() {
    let mut peers = AsyncDropHashMap::new();
    peers.try_insert(1, AsyncDropGuard::new(Connection { sent: 7 })).unwrap();
    futures::executor::block_on(shut_down(peers));
}
