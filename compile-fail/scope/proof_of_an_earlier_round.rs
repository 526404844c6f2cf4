//! Misuse: storing the proof of one scope, to return it from the next (lifetime may not live long enough)
//! Why it matters: the second connection would be forgotten, and the first one's proof would hide it.
//! Fix: in every iteration, return the proof of the scope's own guard.
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

async fn visit(hosts: &[&'static str]) {
    let mut closed = None;
    for host in hosts {
        let connection = AsyncDropGuard::live(Connection { host });
        scope!(connection, async |connection| {
            println!("{}", connection.host);
            let before = match closed.take() {
                Some(proof) => proof,
                None => connection.async_drop().await.proof,
            };
            (before, ())
        })
        .await;
    }
}

fn main() {
    futures::executor::block_on(visit(&["a", "b"]));
}
