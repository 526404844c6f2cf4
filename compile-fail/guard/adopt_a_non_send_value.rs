//! Misuse: adopting a guard whose error is not `Send` (cannot be adopted by a reaper)
//! Why it matters: the reaper may clean up the value on another thread, and keeps the error for its report.
//! Fix: make the error `Send` (an `Arc` in place of the `Rc`), or clean up the guard without a reaper.
//! Rule: Adopted values own their data

use std::rc::Rc;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper};

struct Session {
    name: String,
}

#[async_trait]
impl AsyncDrop for Session {
    type Error = Rc<str>;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Err(Rc::from(self.name.as_str()))
    }
}

async fn serve() -> Result<(), livedrop::reaper::Report> {
    let mut reaper = Reaper::new();
    let session = AsyncDropGuard::new(Session { name: "guest".to_owned() });
    drop(reaper.adopt(session));
    reaper.async_drop().await
}

fn main() {
    assert!(futures::executor::block_on(serve()).is_err());
}
