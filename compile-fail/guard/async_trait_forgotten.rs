//! Misuse: implementing `AsyncDrop` without `#[async_trait]` (E0195)
//! Why it matters: the trait can be used as `dyn AsyncDrop`, so its method has another form than it looks.
//! Fix: write `#[async_trait]` above the `impl`.
//! Rule: Say how to clean up

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
