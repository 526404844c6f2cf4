//! Misuse: several mistakes in one type, all reported at once (has no option `parallel`)
//! Why it matters: one compiler run reports everything that must be fixed.
//! Fix: fix each one as its message says.
//! Rule: Every guarded value has a cleanup

use livedrop::{AsyncDrop, AsyncDropGuard, Live};

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
#[async_drop(parallel, error)]
struct Client {
    pub control: AsyncDropGuard<Socket>,
    data: AsyncDropGuard<Socket, Live>,
    #[async_drop(skip, skip_if_closed)]
    spare: Option<AsyncDropGuard<Socket>>,
    behind: Connection,
}

fn main() {}
