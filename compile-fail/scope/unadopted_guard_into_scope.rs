//! Misuse: opening a scope with the `Checked` guard that a constructor returns (E0277)
//! Why it matters: neither the compiler nor a reaper would make sure of its cleanup.
//! Fix: adopt it first: `scope!(reaper.adopt(guard), …)`, or make it a `Live` guard.
//! Rule: A guard is in one state

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope};

struct Connection;

impl Connection {
    async fn open() -> AsyncDropGuard<Connection> {
        AsyncDropGuard::new(Connection)
    }

    async fn query(&mut self, _: &str) -> io::Result<u32> {
        Ok(3)
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn count(_reaper: &Reaper) -> io::Result<u32> {
    let connection = Connection::open().await;
    scope!(connection, async |mut connection| {
        let users = connection.query("select count(*) from users").await;
        connection.async_drop().await.after(users)
    })
    .await
}

fn main() {
    futures::executor::block_on(async {
        let mut reaper = Reaper::new();
        assert_eq!(count(&reaper).await.unwrap(), 3);
        reaper.async_drop().await.unwrap();
    });
}
