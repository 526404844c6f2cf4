//! Misuse: using the guard after `with_async_drop!` has cleaned it up (E0382)
//! Why it matters: the file is closed, so data that is written now is lost.
//! Fix: use it inside the block.
//! Rule: After the cleanup the value is gone

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};

struct File {
    lines: u32,
}

impl File {
    async fn write(&mut self, _line: &str) -> io::Result<()> {
        self.lines += 1;
        Ok(())
    }
}

#[async_trait]
impl AsyncDrop for File {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn save() -> io::Result<()> {
    let file = AsyncDropGuard::new(File { lines: 0 });
    with_async_drop!(file, {
        file.write("first").await?;
        io::Result::Ok(())
    })?;
    println!("{} lines", file.lines);
    Ok(())
}

fn main() {
    futures::executor::block_on(save()).unwrap();
}
