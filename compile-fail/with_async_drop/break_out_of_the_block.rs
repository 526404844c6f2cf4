//! Misuse: leaving the block with a `break` of the loop around it (E0267)
//! Why it matters: the jump would skip the cleanup.
//! Fix: return a value from the block that says whether to break, and break outside.
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
