//! Misuse: a public type whose error is that of a private one (E0446)
//! Why it matters: the type of the error is public then, and said to be that of a type that nobody else can name.
//! Fix: name the error: `#[async_drop(error = std::io::Error)]`.
//! Rule: No error is lost

use livedrop::{AsyncDrop, AsyncDropGuard};

mod net {
    use super::{AsyncDrop, AsyncDropGuard};

    struct Socket;

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
        pub fn connect() -> AsyncDropGuard<Client> {
            AsyncDropGuard::new(Client { socket: AsyncDropGuard::new(Socket) })
        }
    }
}

fn main() {
    let mut client = net::Client::connect();
    futures::executor::block_on(client.async_drop()).unwrap();
}
