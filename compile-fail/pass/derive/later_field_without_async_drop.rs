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
    socket: AsyncDropGuard<Socket>,
    address: String,
}

fn main() {
    let (socket, address) = (AsyncDropGuard::new(Socket), "localhost".to_owned());
    let mut client = AsyncDropGuard::new(Client { socket, address });
    assert_eq!(client.address, "localhost");
    futures::executor::block_on(client.async_drop()).unwrap();
}
