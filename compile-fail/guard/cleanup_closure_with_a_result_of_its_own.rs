//! Misuse: a cleanup closure that returns more than success or failure (drop what else it returns)
//! Why it matters: no caller would see the result: a cleanup ends with `Ok(())` or with an error.
//! Fix: drop the result in the closure, or report it there.
//! Rule: Every guarded value has a cleanup

use std::io;

use livedrop::{AsyncDrop, AsyncDropGuard};

/// A type of another crate.
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
