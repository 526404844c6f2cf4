//! What a handle holds of the value: one place among others, or all of it at the end.

use std::sync::Arc as Own;

use crate::sync::Arc;
use crate::{AsyncDropGuard, State};

pub(super) enum Held<T, S: State> {
    Shared(Arc<AsyncDropGuard<T, S>>),
    /// This was the last handle, and its cleanup has begun; nothing is left once that has ended.
    /// Behind a pointer, so that a handle is small whatever the value is; and behind one that
    /// is never shared, not a `Box`: its drop is a call, where that of a `Box` is unrolled into
    /// whatever drops a handle.
    Last(Own<Option<AsyncDropGuard<T, S>>>),
    Gone,
}

impl<T, S: State> Held<T, S> {
    /// Takes the value if this is the only handle.
    pub(super) fn take_if_only(&mut self) -> Option<AsyncDropGuard<T, S>> {
        match std::mem::replace(self, Held::Gone) {
            Held::Shared(shared) => {
                Arc::try_unwrap(shared).map_err(|shared| *self = Held::Shared(shared)).ok()
            }
            Held::Last(guard) => Own::into_inner(guard).flatten(),
            Held::Gone => None,
        }
    }

    /// Lets go of the value, or takes it over if this is the last handle.
    ///
    /// `Arc::into_inner` gives the value to exactly one of all the handles. To look at the
    /// count first, or to try and then let go, would leave a moment in which each of two takes
    /// the other one for the last.
    pub(super) fn let_go(&mut self) -> Option<&mut Option<AsyncDropGuard<T, S>>> {
        if let Held::Shared(_) = self {
            if let Held::Shared(shared) = std::mem::replace(self, Held::Gone) {
                *self = Held::Last(Own::new(Some(Arc::into_inner(shared)?)));
            }
        }
        match self {
            Held::Last(guard) => Own::get_mut(guard),
            _ => None,
        }
    }
}
