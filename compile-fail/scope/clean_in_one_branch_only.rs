//! Misuse: cleaning up in only one of two branches (E0308)
//! Why it matters: an uncommitted transaction would keep its locks.
//! Fix: end every branch with the proof.
//! Rule: Every way out of a scope has the proof

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Transaction {
    commit: bool,
}

#[async_trait]
impl AsyncDrop for Transaction {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        println!("{}", if self.commit { "committed" } else { "rolled back" });
        Ok(())
    }
}

async fn book(seats: u32) -> &'static str {
    let transaction = AsyncDropGuard::live(Transaction { commit: false });
    scope!(transaction, async |mut transaction| {
        if seats > 0 {
            transaction.commit = true;
            (transaction.async_drop().await.proof, "booked")
        } else {
            (transaction, "sold out")
        }
    })
    .await
}

fn main() {
    assert_eq!(futures::executor::block_on(book(0)), "sold out");
}
