//! Misuse: returning the guard instead of the proof (E0277)
//! Why it matters: the caller assumes that the file is closed, but it is open.
//! Fix: return `file.async_drop().await.proof` instead.
//! Rule: Every way out of a scope has the proof

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct File {
    lines: Vec<String>,
}

#[async_trait]
impl AsyncDrop for File {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.lines.clear();
        Ok(())
    }
}

async fn append(line: &str) -> usize {
    let file = AsyncDropGuard::live(File { lines: Vec::new() });
    scope!(file, async |mut file| {
        file.lines.push(line.to_owned());
        let length = file.lines.len();
        (file, length)
    })
    .await
}

fn main() {
    assert_eq!(futures::executor::block_on(append("hello")), 1);
}
