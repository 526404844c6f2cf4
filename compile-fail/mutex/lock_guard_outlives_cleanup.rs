//! Misuse: cleaning up a mutex while the lock is held (E0505)
//! Why it matters: the cleanup would close the file while the holder of the lock still writes to it.
//! Fix: drop the lock first, with `drop(file)` or at the end of a block.
//! Rule: After the cleanup the value is gone

use async_trait::async_trait;
use livedrop::sync::AsyncDropMutex;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

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

async fn log(shared: AsyncDropGuard<AsyncDropMutex<LogFile, Live>, Live>) -> std::io::Result<()> {
    let mut file = shared.lock().await;
    file.lines.push("stopping".to_owned());
    let outcome = shared.async_drop().await;
    file.lines.push("stopped".to_owned());
    outcome.result
}

fn main() {
    let file = AsyncDropGuard::live(LogFile { lines: Vec::new() });
    futures::executor::block_on(log(AsyncDropMutex::new(file))).unwrap();
}
