//! Misuse: returning the proofs of a database and of a cache in the wrong order (E0277)
//! Why it matters: each guard of a scope has a proof of its own; the order says which.
//! Fix: return the proofs in the order in which the guards entered the scope.
//! Rule: The rule of brands

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Database;

struct Cache;

#[async_trait]
impl AsyncDrop for Database {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[async_trait]
impl AsyncDrop for Cache {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn serve() {
    let (database, cache) = (AsyncDropGuard::live(Database), AsyncDropGuard::live(Cache));
    scope!((database, cache), async |database, cache| {
        // The cache first: its last entries go into the database.
        ((cache.async_drop().await.proof, database.async_drop().await.proof), ())
    })
    .await
}

fn main() {
    futures::executor::block_on(serve());
}
