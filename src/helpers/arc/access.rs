//! A handle as a smart pointer.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use super::{AsyncDropArc, Held};
use crate::{Holds, type_name};

/// The value.
///
/// # Panics
///
/// If the cleanup of this handle has begun.
impl<T, S: Holds> Deref for AsyncDropArc<T, S> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        self.shared("used")
    }
}

impl<T, S: Holds> Borrow<T> for AsyncDropArc<T, S> {
    #[track_caller]
    fn borrow(&self) -> &T {
        self
    }
}

impl<T, S: Holds> AsRef<T> for AsyncDropArc<T, S> {
    #[track_caller]
    fn as_ref(&self) -> &T {
        self
    }
}

/// Shows the value, as `Arc` does.
impl<T: fmt::Debug, S: Holds> fmt::Debug for AsyncDropArc<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.held {
            Held::Shared(guard) => guard.fmt(f),
            Held::Last(_) | Held::Gone => {
                write!(f, "<{}: cleanup has begun>", type_name::of::<T>())
            }
        }
    }
}
