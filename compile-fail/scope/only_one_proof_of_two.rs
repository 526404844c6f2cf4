//! Misuse: ending a scope of two guards as a scope of one (E0277)
//! Why it matters: the target would stay open, with its lines in memory only.
//! Fix: end with both: `async_drop_all((source, target)).await.after(copied)`.
//! Rule: Every way out of a scope has the proof

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, CleanupErrors, scope};

struct File {
    lines: Vec<String>,
}

impl File {
    async fn append(&mut self, lines: &[String]) -> Result<usize, CleanupErrors<io::Error>> {
        self.lines.extend_from_slice(lines);
        Ok(lines.len())
    }
}

#[async_trait]
impl AsyncDrop for File {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn copy(source: File, target: File) -> Result<usize, CleanupErrors<io::Error>> {
    let guards = (AsyncDropGuard::live(source), AsyncDropGuard::live(target));
    scope!((guards.0, guards.1), async |source, mut target| {
        let copied = target.append(&source.lines).await;
        source.async_drop().await.after(copied)
    })
    .await
}

fn main() {
    let file = |lines: &[&str]| File { lines: lines.iter().map(|&line| line.to_owned()).collect() };
    assert_eq!(futures::executor::block_on(copy(file(&["a"]), file(&[]))).unwrap(), 1);
}
