//! Misuse: marking a field whose type has no cleanup (E0277)
//! Why it matters: nothing would be cleaned up there, whatever the mark promises.
//! Fix: give the field's type a cleanup, or remove the mark.
//! Rule: Say how to clean up

use livedrop::{AsyncDrop, AsyncDropGuard};

#[derive(AsyncDrop)]
struct Client {
    #[async_drop]
    address: String,
}

fn main() {
    let mut client = AsyncDropGuard::new(Client { address: "localhost".to_owned() });
    futures::executor::block_on(client.async_drop()).unwrap();
}
