//! Misuse: calling a method of the value on its proof (E0599)
//! Why it matters: the upload is cleaned up, so there is no value left.
//! Fix: call the method before `async_drop`.
//! Rule: After the cleanup the value is gone

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Upload {
    bytes: u64,
}

impl Upload {
    fn size(&self) -> u64 {
        self.bytes
    }
}

#[async_trait]
impl AsyncDrop for Upload {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn finish(upload: Upload) -> u64 {
    let upload = AsyncDropGuard::live(upload);
    let finished = upload.async_drop().await.proof;
    finished.size()
}

fn main() {
    assert_eq!(futures::executor::block_on(finish(Upload { bytes: 3 })), 3);
}
