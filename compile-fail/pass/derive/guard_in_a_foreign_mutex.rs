use livedrop::sync::AsyncDropMutex;
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
    socket: AsyncDropGuard<AsyncDropMutex<Socket>>,
}

fn main() {
    let socket = AsyncDropMutex::new(AsyncDropGuard::new(Socket));
    let mut client = AsyncDropGuard::new(Client { socket });
    futures::executor::block_on(client.async_drop()).unwrap();
}
