// The examples of the FAQ include this file, and the page shows it.

use livedrop::{AsyncDrop, AsyncDropGuard, Reaper};
use std::io;
use std::time::Duration;

struct Connection;

impl Connection {
    async fn open() -> io::Result<AsyncDropGuard<Connection>> {
        Ok(AsyncDropGuard::new(Connection))
    }

    async fn send(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    async fn commit(self) -> io::Result<()> {
        Ok(())
    }

    async fn close(self, _code: u16, _reason: &str) -> io::Result<()> {
        Ok(())
    }
}

#[async_trait::async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}
