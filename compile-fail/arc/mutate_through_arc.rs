//! Misuse: changing a shared value through a handle (E0594)
//! Why it matters: two owners could change the value at the same time, and neither would know of the other.
//! Fix: share an `AsyncDropMutex`, and lock it.
//! Rule: Shared values are changed only through a lock

use async_trait::async_trait;
use livedrop::sync::AsyncDropArc;
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
    let mut file = AsyncDropArc::new(AsyncDropGuard::new(LogFile { lines: Vec::new() }));
    file.lines = vec!["started".to_owned()];
    file.async_drop().await
}

fn main() {
    futures::executor::block_on(log()).unwrap();
}
