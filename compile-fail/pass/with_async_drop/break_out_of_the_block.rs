use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};

struct Page {
    number: u32,
}

#[async_trait]
impl AsyncDrop for Page {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn find(wanted: u32) -> io::Result<()> {
    for number in 1..=9 {
        let page = AsyncDropGuard::new(Page { number });
        let found = with_async_drop!(page, { io::Result::Ok(page.number == wanted) })?;
        if found {
            break;
        }
    }
    Ok(())
}

fn main() {
    futures::executor::block_on(find(3)).unwrap();
}
