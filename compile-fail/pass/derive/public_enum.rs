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
#[async_drop(error = std::io::Error)]
pub struct Link {
    #[async_drop]
    kind: Kind,
}

#[derive(AsyncDrop)]
enum Kind {
    Open(AsyncDropGuard<Socket>),
    Closed,
}

fn main() {
    for kind in [Kind::Open(AsyncDropGuard::new(Socket)), Kind::Closed] {
        let mut link = AsyncDropGuard::new(Link { kind });
        futures::executor::block_on(link.async_drop()).unwrap();
    }
}
