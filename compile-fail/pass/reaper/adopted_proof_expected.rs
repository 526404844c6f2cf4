use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Dropped, Reaper};

struct LogFile {
    open: bool,
}

#[async_trait]
impl AsyncDrop for LogFile {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.open = false;
        Ok(())
    }
}

fn delete(_closed: AsyncDropGuard<LogFile, Dropped>) {
    println!("deleted");
}

async fn serve() -> Result<(), livedrop::reaper::Report> {
    let mut reaper = Reaper::new();
    let file = AsyncDropGuard::live(LogFile { open: true });
    delete(file.async_drop().await.proof);
    reaper.async_drop().await
}

fn main() {
    futures::executor::block_on(serve()).unwrap();
}
