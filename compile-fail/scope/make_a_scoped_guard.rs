//! Misuse: creating a second guard for the scope, and returning its proof (E0308)
//! Why it matters: if any code could create a guard of a scope, the scope's own guard could be forgotten.
//! Fix: clean up the scope's own guard.
//! Rule: The rule of brands

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

/// Creates the guard of a printer without pages.
fn idle<'scope>() -> ScopedGuard<'scope, Printer> {
    AsyncDropGuard::live(Printer { pages: 0 })
}

async fn print() {
    let printer = AsyncDropGuard::live(Printer { pages: 3 });
    scope!(printer, async |printer| {
        println!("{} pages", printer.pages);
        (idle().async_drop().await.proof, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(print());
}
