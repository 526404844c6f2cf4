//! The guarantee of `AsyncDropArc`, by hand. Every handle must be closed, or its drop panics. Only the
//! last handle cleans the value up; it can be cancelled and closed again.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

use super::Origin;
use super::checked::Guard;
use crate::value::Numbered;

enum Held<const N: u64> {
    Shared(Arc<Guard<N>>),
    /// This was the last handle, and its cleanup has begun.
    Last(Box<Guard<N>>),
    Gone,
}

pub(crate) struct Handle<const N: u64> {
    held: Held<N>,
    origin: Origin,
}

impl<const N: u64> Handle<N> {
    #[track_caller]
    pub(crate) fn new(guard: Guard<N>) -> Self {
        Self { held: Held::Shared(Arc::new(guard)), origin: Origin::here() }
    }

    #[track_caller]
    pub(crate) fn share(&self) -> Self {
        Self { held: Held::Shared(Arc::clone(self.shared())), origin: Origin::here() }
    }

    fn shared(&self) -> &Arc<Guard<N>> {
        match &self.held {
            Held::Shared(shared) => shared,
            Held::Last(_) | Held::Gone => panic!("used after it was closed"),
        }
    }

    pub(crate) async fn close(&mut self) -> Result<(), Infallible> {
        if let Held::Shared(_) = self.held
            && let Held::Shared(shared) = std::mem::replace(&mut self.held, Held::Gone)
            && let Some(guard) = Arc::into_inner(shared)
        {
            self.held = Held::Last(Box::new(guard));
        }
        let Held::Last(guard) = &mut self.held else {
            return Ok(());
        };
        let result = guard.close().await;
        self.held = Held::Gone;
        result
    }
}

impl<const N: u64> Deref for Handle<N> {
    type Target = Numbered<N>;

    fn deref(&self) -> &Numbered<N> {
        self.shared()
    }
}

impl<const N: u64> Drop for Handle<N> {
    fn drop(&mut self) {
        // A last one that was cancelled is reported by its guard.
        if let Held::Shared(_) = self.held {
            self.origin.forgotten("Handle");
        }
    }
}
