//! `SyncWrapper`: makes any value `Sync`, because it gives access by `&mut` only.

use std::sync::{Mutex, PoisonError};

/// A mutex that is never locked, so it is never poisoned.
#[derive(Default)]
pub(crate) struct SyncWrapper<T>(Mutex<T>);

impl<T> SyncWrapper<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
