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
    let mut mailbox = AsyncDropGuard::new(Mailbox);
    println!("no mail");
    mailbox.async_drop().await
}

fn main() {
    futures::executor::block_on(check_mail()).unwrap();
}
