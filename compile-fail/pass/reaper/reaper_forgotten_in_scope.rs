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
        let outcome = reaper.async_drop().await;
        (outcome.proof, outcome.result)
    })
    .await
}

fn main() {
    futures::executor::block_on(serve()).unwrap();
}
