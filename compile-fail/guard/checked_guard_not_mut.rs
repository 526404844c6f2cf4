//! Misuse: a `Checked` guard in a variable that is not `mut` (E0596)
//! Why it matters: a `Checked` guard is cleaned up in place, so `async_drop` takes `&mut self`.
//! Fix: write `let mut`; a `Live` guard needs no `mut`, because its cleanup consumes it.
//! Rule: A guard is in one state

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Mailbox;

#[async_trait]
impl AsyncDrop for Mailbox {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn check_mail() -> io::Result<()> {
    let mailbox = AsyncDropGuard::new(Mailbox);
    println!("no mail");
    mailbox.async_drop().await
}

fn main() {
    futures::executor::block_on(check_mail()).unwrap();
}
