//! Misuse: leaving the block by a `break` of the loop around it (E0267)
//! Why it matters: the jump would go past the cleanup.
//! Fix: let the block return what to do, and break outside.
//! Rule: Use the macro when possible

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
        with_async_drop!(page, {
            if page.number == wanted {
                break;
            }
            io::Result::Ok(())
        })?;
    }
    Ok(())
}

fn main() {
    futures::executor::block_on(find(3)).unwrap();
}
