//! Misuse: passing a guard that still owes its cleanup where a proof is required (E0277)
//! Why it matters: the directory would be removed while the file in it is still open.
//! Fix: clean up first, and pass the proof: `file.async_drop().await.proof`.
//! Rule: A proof comes from its cleanup only

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, ProofOf};

struct TempFile;

#[async_trait]
impl AsyncDrop for TempFile {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn remove_directory(_file_is_gone: impl ProofOf<TempFile>) {
    println!("removed");
}

async fn tidy_up() {
    let file = AsyncDropGuard::live(TempFile);
    remove_directory(file);
}

fn main() {
    futures::executor::block_on(tidy_up());
}
