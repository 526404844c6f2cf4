use livedrop::{AsyncDrop, AsyncDropGuard};

struct Socket;

#[livedrop::unboxed]
impl AsyncDrop for Socket {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct Process;

#[livedrop::unboxed]
impl AsyncDrop for Process {
    type Error = std::num::TryFromIntError;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        u8::try_from(255_u32).map(|_| ())
    }
}

#[derive(Debug)]
enum Error {
    Socket(std::io::Error),
    Process(std::num::TryFromIntError),
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::Socket(error)
    }
}

impl From<std::num::TryFromIntError> for Error {
    fn from(error: std::num::TryFromIntError) -> Self {
        Error::Process(error)
    }
}

#[derive(AsyncDrop)]
#[async_drop(error = Error)]
struct Client<T> {
    socket: AsyncDropGuard<Socket>,
    other: AsyncDropGuard<T>,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client {
        socket: AsyncDropGuard::new(Socket),
        other: AsyncDropGuard::new(Process),
    });
    futures::executor::block_on(client.async_drop()).unwrap();
}
