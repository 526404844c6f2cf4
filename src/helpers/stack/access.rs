//! A stack's values, by their keys.

use std::ops::{Index, IndexMut};

use super::AsyncDropStack;
use super::key::{Key, Refused};
use crate::{AsyncDropGuard, Holds, State};

impl<S: State> AsyncDropStack<S> {
    /// The value of a key; `None` if it is cleaned up, or if the key is of another stack.
    #[must_use = "it only looks"]
    pub fn get<T: 'static>(&self, key: Key<T>) -> Option<&T>
    where
        S: Holds + 'static,
    {
        let guard = self.guard(key).ok()?;
        S::value(&guard.slot).ok()
    }

    /// The value of a key; `None` if it is cleaned up, or if the key is of another stack.
    #[must_use = "it only looks"]
    pub fn get_mut<T: 'static>(&mut self, key: Key<T>) -> Option<&mut T>
    where
        S: Holds + 'static,
    {
        let guard = self.guard_mut(key).ok()?;
        S::value_mut(&mut guard.slot).ok()
    }

    fn guard<T: 'static>(&self, key: Key<T>) -> Result<&AsyncDropGuard<T, S>, Refused>
    where
        S: 'static,
    {
        Ok(self.entries.get(key.place)?.downcast_ref::<T, S>())
    }

    fn guard_mut<T: 'static>(&mut self, key: Key<T>) -> Result<&mut AsyncDropGuard<T, S>, Refused>
    where
        S: 'static,
    {
        Ok(self.entries.get_mut(key.place)?.downcast_mut::<T, S>())
    }
}

/// The value of a key.
///
/// # Panics
///
/// If the value is cleaned up, or if the key is of another stack.
impl<T: 'static, S: Holds + 'static> Index<Key<T>> for AsyncDropStack<S> {
    type Output = T;

    #[track_caller]
    fn index(&self, key: Key<T>) -> &T {
        match self.guard(key) {
            Ok(guard) => guard,
            Err(refused) => refused.panic::<T>(),
        }
    }
}

/// The value of a key. Panics as [`Index`] does.
impl<T: 'static, S: Holds + 'static> IndexMut<Key<T>> for AsyncDropStack<S> {
    #[track_caller]
    fn index_mut(&mut self, key: Key<T>) -> &mut T {
        match self.guard_mut(key) {
            Ok(guard) => guard,
            Err(refused) => refused.panic::<T>(),
        }
    }
}
