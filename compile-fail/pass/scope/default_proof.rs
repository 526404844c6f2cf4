use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::scope::{Proof, ScopedGuard};
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Tunnel {
    port: u16,
}

#[async_trait]
impl AsyncDrop for Tunnel {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn ping(tunnel: ScopedGuard<'_, Tunnel>) -> (Proof<'_, Tunnel>, u16) {
    let port = tunnel.port;
    (tunnel.async_drop().await.proof, port)
}

async fn check() -> u16 {
    scope(AsyncDropGuard::live(Tunnel { port: 22 }), ping).await
}

fn main() {
    assert_eq!(futures::executor::block_on(check()), 22);
}
