//! Misuse: a cleanup closure that does its work at once, and returns no future (is not a future)
//! Why it matters: a guard awaits the cleanup; it has to be given something to await.
//! Fix: write `async move` before the body of the closure.
//! Rule: Say how to clean up

use std::io;

use livedrop::{AsyncDrop, AsyncDropGuard};

/// Of a foreign crate.
struct TempDir {
    path: String,
}

impl TempDir {
    fn remove(self) -> io::Result<()> {
        println!("removed {}", self.path);
        Ok(())
    }
}

fn create(path: &str) -> AsyncDropGuard<impl AsyncDrop<Error = io::Error>> {
    let directory = TempDir { path: path.into() };
    AsyncDropGuard::with_cleanup(directory, |directory| directory.remove())
}

fn main() {
    let mut directory = create("/tmp/build");
    futures::executor::block_on(directory.async_drop()).unwrap();
}
