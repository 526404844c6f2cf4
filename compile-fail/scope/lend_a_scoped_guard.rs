//! Misuse: passing a scoped guard to `with_async_drop!` (E0277)
//! Why it matters: `with_async_drop!` consumes the guard and returns no proof for the scope.
//! Fix: use only one of the two; here the scope's own cleanup is enough.
//! Rule: A scoped guard ends in its scope

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope, with_async_drop};

struct Connection;

impl Connection {
    async fn query(&mut self, _sql: &str) -> io::Result<u32> {
        Ok(1)
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn count() -> io::Result<u32> {
    let connection = AsyncDropGuard::live(Connection);
    scope!(connection, async |mut connection| {
        let rows = connection.query("select 1").await;
        if rows.is_err() {
            let _ = with_async_drop!(connection, { connection.query("rollback").await });
            std::process::exit(1);
        }
        connection.async_drop().await.after(rows)
    })
    .await
}

fn main() {
    assert_eq!(futures::executor::block_on(count()).unwrap(), 1);
}
