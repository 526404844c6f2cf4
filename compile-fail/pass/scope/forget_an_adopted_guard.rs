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
