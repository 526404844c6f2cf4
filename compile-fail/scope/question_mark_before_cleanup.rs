//! Misuse: a `?` in the body, before the cleanup (E0277)
//! Why it matters: when the query fails, the `?` leaves the scope and skips the cleanup.
//! Fix: write `try_or_drop!(connection, …)`; or keep the `Result`, and end the body with `outcome.after(result)`.
//! Rule: Every way out of a scope has the proof

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection;

impl Connection {
    async fn query(&mut self, _sql: &str) -> io::Result<Vec<String>> {
        Ok(vec!["ada".into()])
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn users() -> io::Result<Vec<String>> {
    let connection = AsyncDropGuard::live(Connection);
    scope!(connection, async |mut connection| {
        let users = connection.query("select name from users").await?;
        connection.async_drop().await.after(Ok(users))
    })
    .await
}

fn main() {
    assert_eq!(futures::executor::block_on(users()).unwrap(), ["ada"]);
}
