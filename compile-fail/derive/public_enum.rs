//! Misuse: a public enum that is cleaned up (the enum `Link` is `pub`)
//! Why it matters: the variants of a public enum are public: any code could create one without a guard.
//! Fix: make the enum private, and wrap it in a struct that names its error.
//! Rule: Factory methods return guards

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
pub enum Link {
    Open(AsyncDropGuard<Socket>),
    Closed,
}

fn main() {
    for link in [Link::Open(AsyncDropGuard::new(Socket)), Link::Closed] {
        let mut link = AsyncDropGuard::new(link);
        futures::executor::block_on(link.async_drop()).unwrap();
    }
}
