//! What a guard stores: one slot type for each state.

use super::origin::Origin;
use crate::reaper::Registration;
use crate::state::State;

/// The slot type while the library owns the guard: `CheckedSlot` for `Live`, and the same type for
/// every other state.
pub(crate) type OwnedSlot<T, S> = <<S as State>::Owned as State>::Slot<T>;

/// The value of a guard, and what the guard knows about its cleanup.
// Public in a private module: it bounds an associated type of `State`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a guard of livedrop stores",
    note = "the states of a guard are `Checked`, `Live`, `Dropped` and `Adopted`"
)]
pub trait Slot<T>: Sized {
    /// The slot of the same guard while the library owns it. It knows at run time how far its
    /// cleanup has come.
    type Owned: Slot<T>;

    /// Completes "used T …" in the panic of a guard whose value is gone.
    const GONE: &'static str = "after its cleanup";

    /// Returns the value, unless it is gone.
    fn get(&self) -> Option<&T>;

    /// Returns the value, unless it is gone.
    fn get_mut(&mut self) -> Option<&mut T>;

    /// Returns the type and the creation site, for messages.
    fn origin(&self) -> Origin<T>;

    /// Whether the cleanup has ended, with a result or with a panic.
    fn is_done(&self) -> bool {
        self.get().is_none()
    }

    /// Takes the value out; nothing is owed after that.
    ///
    /// # Errors
    ///
    /// If the value is gone.
    fn take(self) -> Result<(Origin<T>, T), Origin<T>>;

    /// Whether a reaper cleans up a dropped value. Then the parts of the value need not report themselves.
    const BACKED: bool = false;

    /// Returns the entry with a reaper, if there is one. A helper has the entry of the guard inside.
    fn entry(&self) -> Option<&Registration> {
        None
    }

    /// Takes the registration with a reaper out, if there is one: a helper's is borrowed. The reaper does not
    /// wait for the value after that.
    fn take_registration(&mut self) -> Option<Registration> {
        None
    }

    /// Hands the slot over to the library.
    fn into_owned(self) -> Self::Owned;

    /// The reverse of `into_owned`. `None` if this slot cannot hold a value that is gone.
    fn from_owned(owned: Self::Owned) -> Option<Self>;
}

/// A `Dropped` guard stores nothing. `State::Slot` needs this impl for every `T`, but no method asks
/// it for a value: `Dropped` is not [`Holds`](crate::state::Holds).
impl<T> Slot<T> for () {
    type Owned = ();

    fn get(&self) -> Option<&T> {
        None
    }

    fn get_mut(&mut self) -> Option<&mut T> {
        None
    }

    fn origin(&self) -> Origin<T> {
        Origin::here()
    }

    fn take(self) -> Result<(Origin<T>, T), Origin<T>> {
        Err(Origin::here())
    }

    fn into_owned(self) {}

    fn from_owned((): ()) -> Option<()> {
        None
    }
}
