#![deny(unused_must_use)]

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Batch {
    rows: u32,
}

#[async_trait]
impl AsyncDrop for Batch {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        println!("{} rows written", self.rows);
        Ok(())
    }
}

async fn write() -> std::io::Result<()> {
    let mut batch = AsyncDropGuard::live(Batch { rows: 0 });
    batch.rows += 1;
    batch.async_drop().await.result?;
    Ok(())
}

fn main() {
    futures::executor::block_on(write()).unwrap();
}
