//! Misuse: replacing the value of a scoped guard with `map_without_cleanup` (E0277)
//! Why it matters: the scope requires the cleanup of its own value; the mapped value could be any other.
//! Fix: map first, and enter the scope with the resulting guard.
//! Rule: A scoped guard ends in its scope

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Client {
    timeout: u32,
}

impl Client {
    fn with_timeout(self, timeout: u32) -> Client {
        Client { timeout }
    }
}

#[async_trait]
impl AsyncDrop for Client {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn fetch() -> u32 {
    let client = AsyncDropGuard::live(Client { timeout: 30 });
    scope!(client, async |client| {
        let client = AsyncDropGuard::map_without_cleanup(client, |it| it.with_timeout(5));
        let timeout = client.timeout;
        (client.async_drop().await.proof, timeout)
    })
    .await
}

fn main() {
    assert_eq!(futures::executor::block_on(fetch()), 5);
}
