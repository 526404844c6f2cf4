use livedrop::collections::AsyncDropHashMap;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Socket;

#[livedrop::unboxed]
impl AsyncDrop for Socket {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[derive(AsyncDrop)]
struct Client {
    sockets: AsyncDropGuard<AsyncDropHashMap<u16, Socket>>,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client { sockets: AsyncDropHashMap::new() });
    futures::executor::block_on(client.async_drop()).unwrap();
}
