//! Misuse: using the value of an `AsyncDropResult` after its cleanup (E0505)
//! Why it matters: the cleanup has closed the file.
//! Fix: use the value before the cleanup, or take the guard out with `into_inner`.
//! Rule: After the cleanup the value is gone

use async_trait::async_trait;
use livedrop::collections::AsyncDropResult;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

struct File {
    name: String,
}

#[async_trait]
impl AsyncDrop for File {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

async fn close(opened: Result<AsyncDropGuard<File, Live>, String>) {
    let opened = AsyncDropResult::new(opened);
    if let Some(file) = opened.ok() {
        opened.async_drop().await.result.unwrap();
        println!("closed {}", file.name);
    }
}

fn main() {
    let file = File { name: "notes".to_owned() };
    futures::executor::block_on(close(Ok(AsyncDropGuard::live(file))));
}
