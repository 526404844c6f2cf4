use async_trait::async_trait;
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};
use livedrop::{AsyncDrop, AsyncDropGuard};

struct LogFile {
    lines: Vec<String>,
}

#[async_trait]
impl AsyncDrop for LogFile {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.lines.clear();
        Ok(())
    }
}

async fn log() -> std::io::Result<()> {
    let file = AsyncDropGuard::new(LogFile { lines: Vec::new() });
    let mut file = AsyncDropArc::new(AsyncDropMutex::new(file));
    file.lock().await.lines = vec!["started".to_owned()];
    file.async_drop().await
}

fn main() {
    futures::executor::block_on(log()).unwrap();
}
