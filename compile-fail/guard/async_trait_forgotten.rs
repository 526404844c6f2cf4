//! Misuse: implementing `AsyncDrop` without `#[async_trait]` (E0195)
//! Why it matters: `dyn AsyncDrop` must work, so the trait declares the method with a boxed future.
//! Fix: write `#[async_trait]` above the `impl`.
//! Rule: Every guarded value has a cleanup

use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn main() {
    let mut connection = AsyncDropGuard::new(Connection);
    futures::executor::block_on(connection.async_drop()).unwrap();
}
