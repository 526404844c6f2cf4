//! Misuse: using a reference into the value after its cleanup (E0502)
//! Why it matters: the cleanup changes the value, and the guard then drops it.
//! Fix: copy the data that is needed later, or use it before the cleanup.
//! Rule: After the cleanup the value is gone

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Download {
    path: String,
}

#[async_trait]
impl AsyncDrop for Download {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        self.path.clear();
        Ok(())
    }
}

async fn fetch() -> io::Result<String> {
    let mut download = AsyncDropGuard::new(Download { path: "/tmp/a".into() });
    let path = &download.path;
    download.async_drop().await?;
    Ok(format!("saved to {path}"))
}

fn main() {
    assert_eq!(futures::executor::block_on(fetch()).unwrap(), "saved to /tmp/a");
}
