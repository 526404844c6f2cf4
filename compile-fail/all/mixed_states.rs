//! Misuse: cleaning up a `Checked` and a `Live` guard with one call (E0277)
//! Why it matters: `Live` guards give proofs and `Checked` guards do not, but one call returns one type.
//! Fix: convert the `Live` guard: `AsyncDropGuard::into_checked(guard)`.
//! Rule: A guard is in one state

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Live, async_drop_all};

struct Database;
struct Cache;

#[async_trait]
impl AsyncDrop for Database {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[async_trait]
impl AsyncDrop for Cache {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn shut_down(database: AsyncDropGuard<Database>, cache: AsyncDropGuard<Cache, Live>) {
    async_drop_all((database, cache)).await.unwrap();
}

fn main() {
    let (database, cache) = (AsyncDropGuard::new(Database), AsyncDropGuard::live(Cache));
    futures::executor::block_on(shut_down(database, cache));
}
