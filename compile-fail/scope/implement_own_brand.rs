//! Misuse: implementing `Brand` for a type of your own (E0277)
//! Why it matters: a scope's proof is reliable only if no other code can create its brand.
//! Fix: store such a mark beside the guard; `scope` creates the only other brands.
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
