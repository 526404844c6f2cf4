use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Transaction<'a> {
    log: &'a mut Vec<String>,
}

#[async_trait]
impl AsyncDrop for Transaction<'_> {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.log.push("rolled back".to_owned());
        Ok(())
    }
}

async fn serve() -> Result<(), std::io::Error> {
    let mut log = Vec::new();
    let mut transaction = AsyncDropGuard::new(Transaction { log: &mut log });
    transaction.async_drop().await
}

fn main() {
    futures::executor::block_on(serve()).unwrap();
}
