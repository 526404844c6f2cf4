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
struct Client<T> {
    control: AsyncDropGuard<Socket>,
    #[async_drop]
    data: Vec<T>,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client {
        control: AsyncDropGuard::new(Socket),
        data: vec![AsyncDropGuard::new(Socket)],
    });
    futures::executor::block_on(client.async_drop()).unwrap();
}
