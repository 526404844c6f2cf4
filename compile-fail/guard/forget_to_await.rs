//! Misuse: calling `async_drop` without `.await` (nothing is cleaned up until this is)
//! Why it matters: the file is never flushed, and its guard panics when it is dropped.
//! Fix: await the cleanup, and check its result.
//! Rule: Always call `async_drop`

#![deny(unused_must_use)]

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Journal {
    unsaved: Vec<String>,
}

#[async_trait]
impl AsyncDrop for Journal {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.unsaved.clear();
        Ok(())
    }
}

async fn save() -> std::io::Result<()> {
    let mut journal = AsyncDropGuard::new(Journal { unsaved: Vec::new() });
    journal.unsaved.push("started".into());
    journal.async_drop();
    Ok(())
}

fn main() {
    futures::executor::block_on(save()).unwrap();
}
