use std::io;

use livedrop::{AsyncDrop, AsyncDropGuard};

/// A type of another crate.
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
    AsyncDropGuard::with_cleanup(directory, |directory| async move { directory.remove() })
}

fn main() {
    let mut directory = create("/tmp/build");
    futures::executor::block_on(directory.async_drop()).unwrap();
}
