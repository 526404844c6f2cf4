//! `OccupiedError`: a guard that a map refused.

use std::collections::hash_map::OccupiedEntry;
use std::fmt::{self, Debug};

use crate::{AsyncDropGuard, State};

/// Why [`try_insert`](crate::AsyncDropHashMap::try_insert) refused a guard: there is an entry for its
/// key. The guard is in here.
#[must_use = "the refused guard is in here: it still owes its cleanup, and panics if it is dropped before"]
pub struct OccupiedError<'a, K, V, S: State> {
    /// The entry that is there.
    pub entry: OccupiedEntry<'a, K, AsyncDropGuard<V, S>>,
    /// The guard that was refused.
    pub value: AsyncDropGuard<V, S>,
}

impl<K: Debug, V, S: State> Debug for OccupiedError<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OccupiedError").field("key", self.entry.key()).finish_non_exhaustive()
    }
}
