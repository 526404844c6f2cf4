//! Misuse: leaving the scope of an adopted guard without cleaning up (E0277)
//! Why it matters: the reaper would clean up later, and the hook and the report would have the error, not the caller.
//! Fix: end the body with the cleanup and the result: `connection.async_drop().await.after(users)`.
//! Rule: Every way out of a scope has the proof

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope};

struct Connection;

impl Connection {
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

async fn count(reaper: &Reaper) -> io::Result<u32> {
    let connection = reaper.adopt(AsyncDropGuard::new(Connection));
    scope!(connection, async |mut connection| {
        let users = connection.query("select count(*) from users").await;
        users
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
