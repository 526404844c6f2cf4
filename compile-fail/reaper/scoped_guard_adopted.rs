//! Misuse: adopting the guard of a scope (this needs a `Checked` guard, or a `Live` one that belongs to no scope)
//! Why it matters: the scope would end without a proof, and the reaper outlives the scope.
//! Fix: clean up the guard in its scope, or adopt it instead of entering a scope.
//! Rule: A scoped guard ends in its scope

use async_trait::async_trait;
use livedrop::scope::ScopedGuard;
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Reaper};

struct Connection {
    open: bool,
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.open = false;
        Ok(())
    }
}

fn shelter(
    reaper: &Reaper,
    connection: ScopedGuard<'_, Connection>,
) -> AsyncDropGuard<Connection, Adopted> {
    reaper.adopt(connection)
}

fn main() {
    let _ = shelter;
}
