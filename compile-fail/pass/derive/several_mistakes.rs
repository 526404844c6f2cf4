use livedrop::{AsyncDrop, AsyncDropGuard};

struct Socket;

#[livedrop::unboxed]
impl AsyncDrop for Socket {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

type Connection = AsyncDropGuard<Socket>;

#[derive(AsyncDrop)]
#[async_drop(concurrent, error = std::io::Error)]
struct Client {
    control: AsyncDropGuard<Socket>,
    data: AsyncDropGuard<Socket>,
    #[async_drop(skip)]
    spare: Option<AsyncDropGuard<Socket>>,
    #[async_drop]
    behind: Connection,
}

fn main() {
    let socket = || AsyncDropGuard::new(Socket);
    let client = Client { control: socket(), data: socket(), spare: None, behind: socket() };
    assert!(client.spare.is_none());
    futures::executor::block_on(AsyncDropGuard::new(client).async_drop()).unwrap();
}
