//! Misuse: creating a proof with `Default::default()`, to make the types fit (E0277)
//! Why it matters: the scope would accept it, and the tunnel would stay open.
//! Fix: get the proof from `async_drop`; nothing else creates one: `tunnel.async_drop().await.proof`.
//! Rule: A proof comes from its cleanup only

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
    (Default::default(), port)
}

async fn check() -> u16 {
    scope(AsyncDropGuard::live(Tunnel { port: 22 }), ping).await
}

fn main() {
    assert_eq!(futures::executor::block_on(check()), 22);
}
