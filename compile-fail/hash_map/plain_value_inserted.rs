//! Misuse: inserting a plain value into the map instead of a guard (E0277)
//! Why it matters: nothing would notice that its cleanup is missing.
//! Fix: wrap it: `AsyncDropGuard::new(value)`.
//! Rule: Factory methods return guards

use async_trait::async_trait;
use livedrop::collections::AsyncDropHashMap;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct Pool {
    connections: AsyncDropGuard<AsyncDropHashMap<String, Connection>>,
}

impl Pool {
    fn add(&mut self, peer: String) {
        self.connections.try_insert(peer, Connection).unwrap();
    }
}

fn main() {
    let mut pool = Pool { connections: AsyncDropHashMap::new() };
    pool.add("anna".to_owned());
    futures::executor::block_on(pool.connections.async_drop()).unwrap();
}
