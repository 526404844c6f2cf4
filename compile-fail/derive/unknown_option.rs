//! Misuse: several options that do not exist, in one type (a type has no option `parallel`)
//! Why it matters: if the derive ignored an unknown option, the cleanup would not be the requested one.
//! Fix: write `concurrent` above the type, and `skip` above a field.
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
#[async_drop(parallel)]
struct Client {
    control: AsyncDropGuard<Socket>,
    #[async_drop(ignore)]
    data: AsyncDropGuard<Socket>,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client {
        control: AsyncDropGuard::new(Socket),
        data: AsyncDropGuard::new(Socket),
    });
    futures::executor::block_on(client.async_drop()).unwrap();
}
