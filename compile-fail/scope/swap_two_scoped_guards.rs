//! Misuse: swapping the guards of two nested scopes (lifetime may not live long enough)
//! Why it matters: each scope would accept the cleanup of the other scope's connection.
//! Fix: swap the contents of the values, not the guards.
//! Rule: The rule of brands

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Connection {
    host: &'static str,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn fail_over() -> &'static str {
    let primary = AsyncDropGuard::live(Connection { host: "a" });
    scope!(primary, async |mut primary| {
        let standby = AsyncDropGuard::live(Connection { host: "b" });
        scope!(standby, async |mut standby| {
            std::mem::swap(&mut primary, &mut standby);
            (standby.async_drop().await.proof, ())
        })
        .await;
        let host = primary.host;
        (primary.async_drop().await.proof, host)
    })
    .await
}

fn main() {
    assert_eq!(futures::executor::block_on(fail_over()), "b");
}
