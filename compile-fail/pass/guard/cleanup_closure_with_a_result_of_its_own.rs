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
    AsyncDropGuard::with_cleanup(Writer, |writer| async move { writer.finish().await.map(drop) })
}

fn main() {
    let mut writer = open();
    futures::executor::block_on(writer.async_drop()).unwrap();
}
