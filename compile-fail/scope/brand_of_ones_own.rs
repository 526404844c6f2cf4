//! Misuse: a brand of your own, to distinguish two kinds of guards (E0277)
//! Why it matters: brands distinguish scopes; if any code could create a brand, it could forge the brand of a scope.
//! Fix: distinguish the kinds by the types of their values, or by the types that hold the guards.
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
