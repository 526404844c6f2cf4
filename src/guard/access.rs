//! The guard as a smart pointer, and what the crate itself does with one.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::AsyncDropGuard;
use crate::bomb::Origin;
use crate::{ArmsLike, Holds, type_name};

/// The value. For a `Checked` guard:
///
/// # Panics
///
/// After the cleanup, naming the type and the creation site. A `Live` guard never panics.
impl<T, S: Holds> Deref for AsyncDropGuard<T, S> {
    type Target = T;

    #[inline]
    #[track_caller]
    fn deref(&self) -> &T {
        match S::value(&self.slot) {
            Ok(value) => value,
            Err(origin) => origin.gone("used", S::GONE),
        }
    }
}

/// The value. Panics as [`Deref`] does.
impl<T, S: Holds> DerefMut for AsyncDropGuard<T, S> {
    #[inline]
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        match S::value_mut(&mut self.slot) {
            Ok(value) => value,
            Err(origin) => origin.gone("used", S::GONE),
        }
    }
}

/// Shows the value, as `Box` and `Arc` do.
impl<T: fmt::Debug, S: Holds> fmt::Debug for AsyncDropGuard<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match S::value(&self.slot) {
            Ok(value) => value.fmt(f),
            Err(_) => write!(f, "<{}: cleaned up>", type_name::of::<T>()),
        }
    }
}

impl<T, S: Holds> AsyncDropGuard<T, S> {
    /// Makes something of the guard that owes, by a guard in the same state, what it owed.
    #[track_caller]
    pub(crate) fn wrap<U>(guard: Self, make: impl FnOnce(Self) -> U) -> AsyncDropGuard<U, S>
    where
        S: ArmsLike<U>,
    {
        let (model, origin) = (S::model(&guard.slot), Origin::here());
        AsyncDropGuard { slot: S::arm_like(model, origin, make(guard)) }
    }

    /// Takes the value out, and the obligation off it.
    ///
    /// # Panics
    ///
    /// If the value is gone.
    #[track_caller]
    pub(crate) fn unwrap(guard: Self) -> T {
        match S::into_value(guard.slot) {
            Ok((_, value)) => value,
            Err(origin) => origin.gone("tried to take out", S::GONE),
        }
    }
}

/// No state is: the bound of methods that exist only to be refused in plain words.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this would clean the value up behind its guard's back, and the guard would do it again",
    label = "cleans up the value, not the guard",
    note = "clean up through the guard: `guard.async_drop().await`"
)]
pub trait CleansBehindItsGuard {}
