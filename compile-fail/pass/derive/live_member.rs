use livedrop::{AsyncDrop, AsyncDropGuard, Live};

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
    socket: AsyncDropGuard<Socket>,
}

fn main() {
    let live: AsyncDropGuard<Socket, Live> = AsyncDropGuard::live(Socket);
    let mut client = AsyncDropGuard::new(Client { socket: AsyncDropGuard::into_checked(live) });
    futures::executor::block_on(client.async_drop()).unwrap();
}
