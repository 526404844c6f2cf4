//! Misuse: marking a second field whose type has no cleanup, beside a field that has one (E0277)
//! Why it matters: the value would count as cleaned up, although one field is not.
//! Fix: implement `AsyncDrop` for the field's type, or remove the mark.
//! Rule: Every guarded value has a cleanup

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
    #[async_drop]
    address: String,
}

fn main() {
    let (socket, address) = (AsyncDropGuard::new(Socket), "localhost".to_owned());
    let mut client = AsyncDropGuard::new(Client { socket, address });
    futures::executor::block_on(client.async_drop()).unwrap();
}
