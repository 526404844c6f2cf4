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
    let close = async |client: Client| client.close().await.map_err(|_| io::Error::other("close"));
    let client = AsyncDropGuard::live_with_cleanup(client, close);
    scope!(client, async |mut client| {
        let sent = client.send("hello").await;
        client.async_drop().await.after(sent)
    })
    .await
}

fn main() {
    futures::executor::block_on(greet(Client)).unwrap();
}
