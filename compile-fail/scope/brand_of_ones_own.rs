//! Misuse: a brand of one's own, to tell two kinds of guards apart (E0277)
//! Why it matters: brands tell scopes apart; whoever could make one up could make up a scope's.
//! Fix: tell the kinds apart by the types of the values, or of what holds the guards.
//! Rule: The states are a closed set

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct ReadOnly;

struct Reader {
    connection: AsyncDropGuard<Connection, Live<ReadOnly>>,
}

fn main() {}
