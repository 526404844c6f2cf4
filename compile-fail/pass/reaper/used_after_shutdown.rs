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
    drop(reaper.adopt(AsyncDropGuard::new(Connection { open: true })));
    let report = Reaper::shutdown(reaper, std::future::pending::<()>()).await;
    assert!(report.into_result().is_ok());
}

fn main() {
    futures::executor::block_on(serve());
}
