//! Misuse: a block whose error type has no `From` for the cleanup's error (E0277)
//! Why it matters: if only the cleanup fails, its error is returned as the block's error.
//! Fix: implement `From` for it, or map it in the macro: `with_async_drop!(file, { … }, Error::Close)`.
//! Rule: No error is lost

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};

struct File {
    text: String,
}

#[async_trait]
impl AsyncDrop for File {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
enum Error {
    Empty,
}

async fn first_line(text: &str) -> Result<String, Error> {
    let file = AsyncDropGuard::new(File { text: text.into() });
    with_async_drop!(file, {
        let line = file.text.lines().next().ok_or(Error::Empty)?;
        Ok(line.to_owned())
    })
}

fn main() {
    match futures::executor::block_on(first_line("hello\nworld")) {
        Ok(line) => assert_eq!(line, "hello"),
        Err(Error::Empty) => panic!("empty"),
    }
}
