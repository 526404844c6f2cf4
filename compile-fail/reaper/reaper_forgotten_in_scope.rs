//! Misuse: leaving a scope without cleaning up its reaper (E0277)
//! Why it matters: the orphans that wait for their cleanup would be lost with the reaper.
//! Fix: end the scope with the reaper's own `async_drop`, which drains it, and return the proof.
//! Rule: Every way out of a scope has the proof

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope};

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
    scope!(reaper, async |reaper| {
        let connection = reaper.adopt(AsyncDropGuard::new(Connection { open: true }));
        drop(connection);
    })
    .await;
    Ok(())
}

fn main() {
    futures::executor::block_on(serve()).unwrap();
}
