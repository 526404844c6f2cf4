//! Misuse: opening a connection for its side effect, and dropping its guard at once (unused `AsyncDropGuard`)
//! Why it matters: nothing can close the connection any more, and the dropped guard panics.
//! Fix: keep the guard in a variable, and clean it up.
//! Rule: Always call `async_drop`

#![deny(unused_must_use)]

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

impl Connection {
    async fn open(host: &str) -> io::Result<AsyncDropGuard<Connection>> {
        println!("connected to {host}");
        Ok(AsyncDropGuard::new(Connection))
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn wake_up() -> io::Result<()> {
    Connection::open("printer").await?;
    Ok(())
}

fn main() {
    futures::executor::block_on(wake_up()).unwrap();
}
