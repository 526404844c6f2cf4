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
    #[async_drop]
    socket: AsyncDropGuard<Socket>,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client { socket: AsyncDropGuard::new(Socket) });
    futures::executor::block_on(client.async_drop()).unwrap();
}
