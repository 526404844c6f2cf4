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
    socket: Socket,
    address: String,
}

fn main() {
    let address = "localhost".to_owned();
    let mut client = AsyncDropGuard::new(Client { socket: Socket, address });
    assert_eq!(client.address, "localhost");
    futures::executor::block_on(client.async_drop()).unwrap();
}
