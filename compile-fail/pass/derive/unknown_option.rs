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
#[async_drop(concurrent)]
struct Client {
    control: AsyncDropGuard<Socket>,
    #[async_drop(skip)]
    data: Option<AsyncDropGuard<Socket>>,
}

fn main() {
    let mut client =
        AsyncDropGuard::new(Client { control: AsyncDropGuard::new(Socket), data: None });
    assert!(client.data.is_none());
    futures::executor::block_on(client.async_drop()).unwrap();
}
