//! `Dropped`: the proof that a `Live` guard was cleaned up. It comes from there only.

use std::fmt;

use super::AsyncDropGuard;
use crate::state::Brand;
use crate::{Dropped, State, type_name};

/// No proof does: the bound of a method that exists only to be refused in plain words.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this guard was cleaned up already",
    label = "nothing is left to clean up",
    note = "a `Dropped` guard is the proof of that: return it from the scope, or drop it"
)]
pub trait StillOwesItsCleanup: State {}

impl<T, B: Brand> fmt::Debug for AsyncDropGuard<T, Dropped<B>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}: cleaned up>", type_name::of::<T>())
    }
}
