//! Containers of guards whose values are cleaned up together. Mirrors [`std::collections`].
//!
//! | you need | use |
//! |---|---|
//! | guards by key | [`AsyncDropHashMap`] |
//! | guards by index | [`AsyncDropVec`] |
//! | guards of many types, cleaned up in reverse order; an async `defer` | [`AsyncDropStack`] |
//! | a guard or an error | [`AsyncDropResult`] |
//! | one open value for each key, shared by its users | [`AsyncDropCache`] |
//!
//! The guard of a container is in the same state as the guards inside the container.

use std::vec::IntoIter;

use crate::state::State;
use crate::{AsyncDropGuard, panic};

mod cache;
mod concurrent;
mod hash_map;
mod result;
mod stack;
mod vec;

pub use cache::AsyncDropCache;
pub(crate) use concurrent::{ConcurrentCleanup, clean_vec};
pub use hash_map::{AsyncDropHashMap, OccupiedError};
pub use result::AsyncDropResult;
pub use stack::{AsyncDropStack, ErasedError, Key};
pub use vec::AsyncDropVec;

mod sealed {
    pub trait Sealed {}
}

/// A guard of a `T` in the state `S`.
///
/// It is a bound instead of a type, so that the compiler's message says how to make a guard of a
/// plain value.
#[diagnostic::on_unimplemented(
    message = "expected a `{S}` guard, found `{Self}`",
    label = "this container holds `{S}` guards of `{T}`",
    note = "wrap a value where it is made: `AsyncDropGuard::new(value)` for `Checked`, `AsyncDropGuard::live(value)` for `Live`",
    note = "convert a guard: `AsyncDropGuard::into_checked(guard)`, `AsyncDropGuard::into_live(guard)`; or, for `Adopted` guards, make the container by `adopted(&handle)`"
)]
pub trait IntoGuard<T, S: State>: sealed::Sealed + Into<AsyncDropGuard<T, S>> {}

impl<T, S: State> sealed::Sealed for AsyncDropGuard<T, S> {}

impl<T, S: State> IntoGuard<T, S> for AsyncDropGuard<T, S> {}

/// Takes the guards out of a container. When this is dropped, it puts the remaining guards back.
struct Drain<I, F: FnMut(I)> {
    rest: IntoIter<I>,
    put_back: F,
}

impl<I, F: FnMut(I)> Iterator for Drain<I, F> {
    type Item = I;

    fn next(&mut self) -> Option<I> {
        self.rest.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

/// Puts every guard back, even if `put_back` panics at one of them, as the `Hash` of a key can.
impl<I, F: FnMut(I)> Drop for Drain<I, F> {
    fn drop(&mut self) {
        panic::for_each(&mut self.rest, &mut self.put_back);
    }
}
