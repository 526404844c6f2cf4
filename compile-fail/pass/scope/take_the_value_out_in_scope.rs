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
            let nothing = Err(io::Error::other("no parts to upload"));
            return upload.async_drop().await.after(nothing);
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
