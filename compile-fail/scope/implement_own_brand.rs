//! Misuse: implementing `Brand` for a type of one's own (E0277)
//! Why it matters: the proof of a scope is worth something only if nobody else can make its brand.
//! Fix: keep such marks beside the guard; `scope` makes the only other brands.
//! Rule: The states are a closed set

use async_trait::async_trait;
use livedrop::state::Brand;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct ReadOnly;

impl Brand for ReadOnly {}

struct Reader {
    connection: AsyncDropGuard<Connection, Live<ReadOnly>>,
}

async fn close(reader: Reader) -> std::io::Result<()> {
    reader.connection.async_drop().await.result
}

fn main() {}
