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
    Close(io::Error),
}

async fn first_line(text: &str) -> Result<String, Error> {
    let file = AsyncDropGuard::new(File { text: text.into() });
    with_async_drop!(
        file,
        {
            let line = file.text.lines().next().ok_or(Error::Empty)?;
            Ok(line.to_owned())
        },
        Error::Close
    )
}

fn main() {
    match futures::executor::block_on(first_line("hello\nworld")) {
        Ok(line) => assert_eq!(line, "hello"),
        Err(Error::Close(error)) => panic!("{error}"),
        Err(Error::Empty) => panic!("empty"),
    }
}
