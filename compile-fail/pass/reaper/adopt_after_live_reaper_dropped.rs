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
    let connection = reaper.adopt(AsyncDropGuard::new(Connection { open: true }));
    drop(connection);
    reaper.async_drop().await.result?;
    Ok(())
}

fn main() {
    futures::executor::block_on(serve()).unwrap();
}
