use async_trait::async_trait;
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Live, Reaper};

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

fn shelter(
    reaper: &Reaper,
    connection: AsyncDropGuard<Connection, Live>,
) -> AsyncDropGuard<Connection, Adopted> {
    reaper.adopt(connection)
}

fn main() {
    let reaper = AsyncDropGuard::into_inner_without_cleanup(Reaper::new());
    let connection = AsyncDropGuard::live(Connection { open: true });
    drop(shelter(&reaper, connection));
    futures::executor::block_on(reaper.drain()).into_result().unwrap();
}
