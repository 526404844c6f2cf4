//! Misuse: adopting by a reaper after its shutdown (E0382)
//! Why it matters: a reaper that was shut down adopts nothing, so the guard would be on its own.
//! Fix: shut the reaper down after the code that adopts has ended.
//! Rule: After the cleanup the value is gone

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper};

struct Connection {
    open: bool,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.open = false;
        Ok(())
    }
}

async fn serve() {
    let reaper = Reaper::new();
    let report = Reaper::shutdown(reaper, std::future::pending::<()>()).await;
    assert!(report.into_result().is_ok());
    drop(reaper.adopt(AsyncDropGuard::new(Connection { open: true })));
}

fn main() {
    futures::executor::block_on(serve());
}
