//! Misuse: adopting a guard with a `Live` reaper that was cleaned up before (E0382)
//! Why it matters: if the owner of the new guard forgets it, no reaper cleans up.
//! Fix: adopt first, and clean up the reaper last.
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

async fn serve() -> Result<(), livedrop::reaper::Report> {
    let reaper = AsyncDropGuard::into_live(Reaper::new()).unwrap();
    reaper.async_drop().await.result?;
    let connection = reaper.adopt(AsyncDropGuard::new(Connection { open: true }));
    drop(connection);
    Ok(())
}

fn main() {
    futures::executor::block_on(serve()).unwrap();
}
