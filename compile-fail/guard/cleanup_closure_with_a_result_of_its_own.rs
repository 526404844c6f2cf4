//! Misuse: a cleanup closure that returns more than whether it succeeded (drop what else it returns)
//! Why it matters: nobody would get to see it: a cleanup ends with `Ok(())` or with an error.
//! Fix: drop what else it returns, or report it from inside of the closure.
//! Rule: Say how to clean up

use std::io;

use livedrop::{AsyncDrop, AsyncDropGuard};

/// Of a foreign crate.
struct Writer;

impl Writer {
    async fn finish(self) -> io::Result<u64> {
        Ok(512)
    }
}

fn open() -> AsyncDropGuard<impl AsyncDrop<Error = io::Error>> {
    AsyncDropGuard::with_cleanup(Writer, |writer| async move { writer.finish().await })
}

fn main() {
    let mut writer = open();
    futures::executor::block_on(writer.async_drop()).unwrap();
}
