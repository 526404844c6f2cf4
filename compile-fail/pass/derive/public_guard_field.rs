use livedrop::{AsyncDrop, AsyncDropGuard};

pub struct Socket;

#[livedrop::unboxed]
impl AsyncDrop for Socket {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[derive(AsyncDrop)]
pub struct Client {
    socket: AsyncDropGuard<Socket>,
}

impl Client {
    pub fn socket(&self) -> &Socket {
        &self.socket
    }
}

fn main() {
    let mut client = AsyncDropGuard::new(Client { socket: AsyncDropGuard::new(Socket) });
    let _socket: &Socket = client.socket();
    futures::executor::block_on(client.async_drop()).unwrap();
}
