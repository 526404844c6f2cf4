//! Misuse: making a type of one's own what the body of a scope ends with (E0451)
//! Why it matters: whatever passes for the end of a scope has to hold the proof, or nothing would be one.
//! Fix: end the body with the pair of proof and result: `outcome.after(result)`.
//! Rule: The rule of brands

use std::marker::PhantomData;

use async_trait::async_trait;
use livedrop::state::Scoped;
use livedrop::scope::ScopeOutput;
use livedrop::{AsyncDrop, AsyncDropGuard, Dropped, scope};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Names the scope, and has no proof.
struct Done<'scope>(PhantomData<fn(&'scope ()) -> &'scope ()>);

impl<'scope> ScopeOutput for Done<'scope> {
    type Value = Connection;
    type State = Dropped<Scoped<'scope>>;
    type Output = ();

    fn split(self) -> (AsyncDropGuard<Connection, Dropped<Scoped<'scope>>>, ()) {
        (AsyncDropGuard { slot: () }, ())
    }
}

async fn hold(connection: Connection) {
    scope!(AsyncDropGuard::live(connection), async |connection| {
        std::mem::forget(connection);
        Done(PhantomData)
    })
    .await;
}

fn main() {
    futures::executor::block_on(hold(Connection));
}
