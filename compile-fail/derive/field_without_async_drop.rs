//! Misuse: marking a field whose type has no cleanup (E0277)
//! Why it matters: the mark promises a cleanup, but the type has none.
//! Fix: implement `AsyncDrop` for the field's type, or remove the mark.
//! Rule: Every guarded value has a cleanup

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
