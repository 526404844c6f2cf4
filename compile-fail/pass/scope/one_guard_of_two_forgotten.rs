use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::scope::{Proof, ScopedGuard};
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct File {
    lines: Vec<String>,
}

#[async_trait]
impl AsyncDrop for File {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn finish(mut file: ScopedGuard<'_, File>) -> Proof<'_, File> {
    file.lines.push("end".to_owned());
    file.async_drop().await.proof
}

async fn copy(from: File, to: File) -> usize {
    let (from, to) = (AsyncDropGuard::live(from), AsyncDropGuard::live(to));
    scope!((from, to), async |from, mut to| {
        to.lines.extend_from_slice(&from.lines);
        let copied = to.lines.len();
        ((from.async_drop().await.proof, finish(to).await), copied)
    })
    .await
}

fn main() {
    let file = |lines: &[&str]| File { lines: lines.iter().map(|&line| line.to_owned()).collect() };
    assert_eq!(futures::executor::block_on(copy(file(&["a"]), file(&[]))), 1);
}
