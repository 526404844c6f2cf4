//! Misuse: a public type whose error is the error of a private type (E0446)
//! Why it matters: the public `type Error` would refer to a type that other crates cannot name.
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
