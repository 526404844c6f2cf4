//! Misuse: a body whose error type cannot hold the error of the cleanup (E0277)
//! Why it matters: an error of the cleanup would have no way to the caller.
//! Fix: implement `From<CloseError>` for an error type of your own, or map the error in the cleanup.
//! Rule: No error is lost

use std::io;

use livedrop::{AsyncDropGuard, scope};

struct Client;

#[derive(Debug)]
struct CloseError;

impl Client {
    async fn send(&mut self, _line: &str) -> io::Result<()> {
        Ok(())
    }

    async fn close(self) -> Result<(), CloseError> {
        Ok(())
    }
}

async fn greet(client: Client) -> io::Result<()> {
    let client = AsyncDropGuard::live_with_cleanup(client, Client::close);
    scope!(client, async |mut client| {
        let sent = client.send("hello").await;
        client.async_drop().await.after(sent)
    })
    .await
}

fn main() {
    futures::executor::block_on(greet(Client)).unwrap();
}
