//! The first code block of the README, and its test.

use livedrop::{AsyncDrop, AsyncDropGuard};
use std::io;

#[livedrop::unboxed]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        self.send("goodbye").await
    }
}

async fn greet(connection: Connection) -> io::Result<()> {
    let mut connection = AsyncDropGuard::new(connection);
    connection.send("hello").await?; // the fault: an error skips the cleanup
    connection.async_drop().await
}

struct Connection {
    fails: bool,
}

impl Connection {
    #[expect(clippy::unused_async, reason = "a real one sends")]
    async fn send(&mut self, _line: &str) -> io::Result<()> {
        if self.fails { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

#[test]
fn early_return_panics_with_the_text_shown() {
    use futures::executor::block_on;

    block_on(greet(Connection { fails: false })).unwrap();
    let message = crate::support::panic_of(|| block_on(greet(Connection { fails: true })));
    let without_site = |line: &str| line.split(" (created").next().unwrap().to_owned();
    let message: Vec<_> = message.lines().map(without_site).collect();
    let shown = super::blocks("text").swap_remove(0);
    let shown: Vec<_> = shown.iter().map(|line| without_site(line)).collect();
    assert_eq!(message, shown);
}
