use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Dropped};

struct LogFile;

#[async_trait]
impl AsyncDrop for LogFile {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn report_flushed(_proof: AsyncDropGuard<LogFile, Dropped>) {
    println!("flushed");
}

async fn rotate() {
    let file = AsyncDropGuard::live(LogFile);
    report_flushed(file.async_drop().await.proof);
}

fn main() {
    futures::executor::block_on(rotate());
}
