//! Misuse: passing a `Checked` guard to a function that takes a `Live` one (E0308)
//! Why it matters: the function relies on the compiler: a `Live` guard always holds its value.
//! Fix: make the guard with `AsyncDropGuard::live`, or convert it with `AsyncDropGuard::into_live`.
//! Rule: A guard is in one state

use std::io;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

struct Transaction;

#[async_trait]
impl AsyncDrop for Transaction {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn commit(transaction: AsyncDropGuard<Transaction, Live>) -> io::Result<()> {
    transaction.async_drop().await.result
}

async fn pay() -> io::Result<()> {
    let transaction = AsyncDropGuard::new(Transaction);
    commit(transaction).await
}

fn main() {
    futures::executor::block_on(pay()).unwrap();
}
