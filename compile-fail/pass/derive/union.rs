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
enum Either {
    Socket(AsyncDropGuard<Socket>),
    Number(u8),
}

fn main() {
    let mut either = AsyncDropGuard::new(Either::Socket(AsyncDropGuard::new(Socket)));
    futures::executor::block_on(either.async_drop()).unwrap();
    assert!(matches!(Either::Number(1), Either::Number(1)));
}
