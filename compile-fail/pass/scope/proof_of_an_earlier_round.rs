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
    let mut closed = 0;
    for host in hosts {
        let connection = AsyncDropGuard::live(Connection { host });
        scope!(connection, async |connection| {
            println!("{}", connection.host);
            closed += 1;
            (connection.async_drop().await.proof, ())
        })
        .await;
    }
    println!("{closed} closed");
}

fn main() {
    futures::executor::block_on(visit(&["a", "b"]));
}
