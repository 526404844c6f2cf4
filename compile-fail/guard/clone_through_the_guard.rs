//! Misuse: using the clone of a guarded value as a second guard (E0308)
//! Why it matters: `clone` derefs to the value, so the clone has no guard and is never cleaned up.
//! Fix: guard the clone, if it needs a cleanup of its own.
//! Rule: Factory methods return guards

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

#[derive(Clone)]
struct Session {
    user: String,
}

#[async_trait]
impl AsyncDrop for Session {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        println!("{} is logged out", self.user);
        Ok(())
    }
}

async fn audit(mut session: AsyncDropGuard<Session>) -> Result<(), Infallible> {
    println!("{} was here", session.user);
    session.async_drop().await
}

async fn visit() -> Result<(), Infallible> {
    let mut session = AsyncDropGuard::new(Session { user: "ada".into() });
    audit(session.clone()).await?;
    session.async_drop().await
}

fn main() {
    futures::executor::block_on(visit()).unwrap();
}
