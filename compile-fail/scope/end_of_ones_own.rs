//! Misuse: returning a type of your own from the body of a scope (E0451)
//! Why it matters: the output of a body must hold the proof; else a scope could end without one.
//! Fix: end the body with a pair of proof and result: `outcome.after(result)`.
//! Rule: The rule of brands

use std::marker::PhantomData;

use async_trait::async_trait;
use livedrop::scope::ScopeOutput;
use livedrop::state::Scoped;
use livedrop::{AsyncDrop, AsyncDropGuard, Dropped, scope};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Has the brand of the scope, but no proof.
struct Done<'scope>(PhantomData<fn(&'scope ()) -> &'scope ()>);

impl<'scope> ScopeOutput<()> for Done<'scope> {
    type Value = Connection;
    type State = Dropped<Scoped<'scope>>;

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
