//! Misuse: cleaning up the database while the cache that borrows it is still open (E0505)
//! Why it matters: the cache could not write its entries back.
//! Fix: clean up in reverse order: first the cache, then the database.
//! Rule: After the cleanup the value is gone

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Database;

impl Database {
    async fn write(&self, _line: &str) {}
}

#[async_trait]
impl AsyncDrop for Database {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Cache<'a> {
    database: &'a Database,
    line: String,
}

#[async_trait]
impl AsyncDrop for Cache<'_> {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        self.database.write(&self.line).await;
        Ok(())
    }
}

async fn shut_down() -> io::Result<()> {
    let database = AsyncDropGuard::live(Database);
    let cache = AsyncDropGuard::live(Cache { database: &database, line: "a=1".into() });
    database.async_drop().await.result?;
    cache.async_drop().await.result
}

fn main() {
    futures::executor::block_on(shut_down()).unwrap();
}
