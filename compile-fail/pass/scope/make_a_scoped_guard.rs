use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::scope::ScopedGuard;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Printer {
    pages: u32,
}

#[async_trait]
impl AsyncDrop for Printer {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        println!("{} pages printed", self.pages);
        Ok(())
    }
}

/// Deletes the pages of the printer.
fn idle(mut printer: ScopedGuard<'_, Printer>) -> ScopedGuard<'_, Printer> {
    printer.pages = 0;
    printer
}

async fn print() {
    let printer = AsyncDropGuard::live(Printer { pages: 3 });
    scope!(printer, async |printer| {
        println!("{} pages", printer.pages);
        (idle(printer).async_drop().await.proof, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(print());
}
