//! Misuse: taking the value out of a scoped guard, to get rid of the guard (E0277)
//! Why it matters: nothing would clean up, and the parts would stay on the server.
//! Fix: clean up on that path, too; or take the value out before the scope.
//! Rule: A scoped guard ends in its scope

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Upload {
    parts: Vec<u8>,
}

#[async_trait]
impl AsyncDrop for Upload {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        self.parts.clear();
        Ok(())
    }
}

async fn finish(upload: Upload) -> io::Result<usize> {
    let upload = AsyncDropGuard::live(upload);
    scope!(upload, async |upload| {
        if upload.parts.is_empty() {
            let upload = AsyncDropGuard::into_inner_without_cleanup(upload);
            panic!("{} parts to upload", upload.parts.len());
        }
        let size = upload.parts.len();
        upload.async_drop().await.after(Ok(size))
    })
    .await
}

fn main() {
    let size = futures::executor::block_on(finish(Upload { parts: vec![1, 2] }));
    assert_eq!(size.unwrap(), 2);
}
