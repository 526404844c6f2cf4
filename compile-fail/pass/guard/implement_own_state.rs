use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Pool {
    idle: Vec<AsyncDropGuard<Connection>>,
}

async fn close(pool: Pool) {
    for mut connection in pool.idle {
        connection.async_drop().await.unwrap();
    }
}

fn main() {
    futures::executor::block_on(close(Pool { idle: vec![AsyncDropGuard::new(Connection)] }));
}
