use std::{fmt, io};

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};

struct Session;

struct Log;

#[async_trait]
impl AsyncDrop for Session {
    type Error = fmt::Error;

    async fn async_drop_impl(&mut self) -> Result<(), fmt::Error> {
        Ok(())
    }
}

#[async_trait]
impl AsyncDrop for Log {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
enum Error {
    LogOut(fmt::Error),
    Close(io::Error),
}

async fn work() -> Result<u32, Error> {
    let session = AsyncDropGuard::new(Session);
    let log = AsyncDropGuard::new(Log);
    with_async_drop!(session.map_err(Error::LogOut), log.map_err(Error::Close), { Ok(1) })
}

fn main() {
    match futures::executor::block_on(work()) {
        Ok(number) => assert_eq!(number, 1),
        Err(Error::LogOut(error)) => panic!("{error}"),
        Err(Error::Close(error)) => panic!("{error}"),
    }
}
