//! `AsyncDropHashMap`: a hash map of guards whose values are cleaned up together.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::{Entry, Iter, IterMut, Keys, OccupiedEntry, Values, ValuesMut};
use std::fmt::{self, Debug};
use std::hash::{BuildHasher, Hash, RandomState};

use async_trait::async_trait;
use futures::future::Either;

use super::{ConcurrentCleanup, Drain, IntoGuard};
use crate::guard::Origin;
use crate::reaper::Adoptable;
use crate::state::{Backing, Backs, Brand, Cleanable, Holds, State, Unscoped};
use crate::{
    Adopted, AsyncDrop, AsyncDropGuard, Checked, CleanupErrors, Live, ReaperHandle, panic,
};

/// A hash map of guards. The cleanup of the map cleans up all values concurrently.
///
/// `S` is the state of the guards inside. [`new`](Self::new) makes a map of [`Checked`] guards,
/// [`live`](AsyncDropHashMap::live) a map of [`Live`] guards. The guard of the map is in the same
/// state.
///
/// The cleanup of the map continues after an error and after a panic. It returns all errors, in the
/// order in which they were found. If a cleanup panics, it resumes the first panic after all
/// cleanups have ended, and the errors go to the [hook](crate::hook).
/// [`set_concurrency`](Self::set_concurrency) limits how many cleanups run at the same time.
///
/// The map returns every guard that leaves it: [`insert`](Self::insert) returns the guard that it
/// replaces, [`try_insert`](Self::try_insert) the guard that it refuses, [`remove`](Self::remove)
/// the guard that it removes. There is no `clear`, `retain` or `Extend`, because they would drop
/// guards; use [`drain`](Self::drain) instead. A guard that is taken out of the map is unchanged:
/// in a [`scope`](crate::scope()), it still belongs to that scope.
///
/// # Panics
///
/// A key whose `Hash`, `Eq` or `Drop` panics loses no guard. The cleanup resumes such a panic after all
/// cleanups have ended. Any other method resumes it at once: the guard that it was about to store or
/// to return is then dropped and reported, or it stays in the map.
///
/// # Cancel safety
///
/// A cancelled cleanup of the map keeps its progress. The next call cleans up the remaining
/// entries, and also returns the errors that were found before. For a `Checked` map, call
/// `async_drop` again. A `Live` map is dropped with its future, and reported. Errors that no later
/// call can return go to the hook.
///
/// Once a cleanup has begun, the other methods do not see its entries: the map looks empty to them.
/// The next call also cleans up the entries that were inserted since.
///
/// # Examples
///
/// ```
/// use livedrop::collections::AsyncDropHashMap;
/// use livedrop::AsyncDropGuard;
/// # use std::io;
/// # struct Connection;
/// # impl Connection { fn ping(&self) {} }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # futures::executor::block_on(async {
/// let mut peers = AsyncDropHashMap::new();
/// peers.set_concurrency(8);
/// if let Err(occupied) = peers.try_insert("anna", AsyncDropGuard::new(Connection)) {
///     let mut refused = occupied.value;
///     refused.async_drop().await?;
/// }
/// if let Some(mut replaced) = peers.insert("anna", AsyncDropGuard::new(Connection)) {
///     replaced.async_drop().await?;
/// }
/// peers.get("anna").unwrap().ping();
/// peers.async_drop().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// Checked at compile time:
///
/// ```
/// use livedrop::collections::AsyncDropHashMap;
/// use livedrop::{AsyncDropGuard, Live};
/// # use std::io;
/// # struct Connection;
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # futures::executor::block_on(async {
/// let mut peers: AsyncDropGuard<AsyncDropHashMap<u32, Connection, Live>, Live> =
///     AsyncDropHashMap::live();
/// if let Some(replaced) = peers.insert(1, AsyncDropGuard::live(Connection)) {
///     replaced.async_drop().await.result?;
/// }
/// let outcome = peers.async_drop().await;
/// outcome.result?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[must_use = "dropping a map outside its guard drops the guards inside without their cleanup"]
pub struct AsyncDropHashMap<K, V: AsyncDrop, S: State = Checked, H = RandomState> {
    entries: HashMap<K, AsyncDropGuard<V, S>, H>,
    cleanup: ConcurrentCleanup<V, S>,
}

impl<K: Send, V: AsyncDrop<Error: Send> + Send> AsyncDropHashMap<K, V> {
    /// Makes an empty map of guards that are checked at run time.
    #[track_caller]
    pub fn new() -> AsyncDropGuard<Self> {
        Self::with_hasher(RandomState::new())
    }
}

impl<K: Send, V: AsyncDrop<Error: Send> + Send, H: Send> AsyncDropHashMap<K, V, Checked, H> {
    /// Makes an empty map of guards that are checked at run time. It hashes with `hasher`.
    #[track_caller]
    pub fn with_hasher(hasher: H) -> AsyncDropGuard<Self> {
        AsyncDropGuard::new(Self::empty(hasher))
    }
}

impl<K: Send, V, B: Brand, Backed: Backing> AsyncDropHashMap<K, V, Live<B, Backed>>
where
    V: AsyncDrop<Error: Send> + Send,
    Live<B, Backed>: Cleanable<V>,
{
    /// Makes an empty map of guards that are checked at compile time.
    ///
    /// If a reaper backs the guards, dropping the map leaves them to it.
    #[track_caller]
    pub fn live() -> AsyncDropGuard<Self, Live<Unscoped, Backed>>
    where
        Backed: Backs<Self>,
    {
        Self::live_with_hasher(RandomState::new())
    }
}

impl<K: Send, V, B: Brand, Backed: Backing, H: Send> AsyncDropHashMap<K, V, Live<B, Backed>, H>
where
    V: AsyncDrop<Error: Send> + Send,
    Live<B, Backed>: Cleanable<V>,
{
    /// Makes an empty map of guards that are checked at compile time. It hashes with `hasher`.
    #[track_caller]
    pub fn live_with_hasher(hasher: H) -> AsyncDropGuard<Self, Live<Unscoped, Backed>>
    where
        Backed: Backs<Self>,
    {
        AsyncDropGuard::wrapper(Origin::here(), Self::empty(hasher), None)
    }
}

impl<K, V> AsyncDropHashMap<K, V, Adopted>
where
    K: Send + 'static,
    V: Adoptable,
{
    /// Makes an empty map of adopted guards. The map is adopted, too: if its owner does not clean
    /// it up, `reaper` does.
    #[track_caller]
    pub fn adopted(reaper: &ReaperHandle) -> AsyncDropGuard<Self, Adopted> {
        reaper.adopt(AsyncDropGuard::new(Self::empty(RandomState::new())))
    }
}

impl<K, V: AsyncDrop, S: State, H> AsyncDropHashMap<K, V, S, H> {
    /// Limits how many entries are cleaned up at the same time. By default there is no limit.
    ///
    /// The limit is for this map only: maps inside the map have limits of their own. If the cleanup
    /// of one entry waits for the cleanup of another, the limit must be large enough for both.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    #[track_caller]
    pub fn set_concurrency(&mut self, limit: usize) -> &mut Self {
        self.cleanup.set_limit::<Self>(limit);
        self
    }

    /// Returns the number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the map has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Iterates over the keys and guards, in any order.
    pub fn iter(&self) -> Iter<'_, K, AsyncDropGuard<V, S>> {
        self.entries.iter()
    }

    /// Iterates over the keys and guards, in any order, with mutable references to the guards.
    pub fn iter_mut(&mut self) -> IterMut<'_, K, AsyncDropGuard<V, S>> {
        self.entries.iter_mut()
    }

    /// Iterates over the keys, in any order.
    pub fn keys(&self) -> Keys<'_, K, AsyncDropGuard<V, S>> {
        self.entries.keys()
    }

    /// Iterates over the guards, in any order.
    pub fn values(&self) -> Values<'_, K, AsyncDropGuard<V, S>> {
        self.entries.values()
    }

    /// Iterates over mutable references to the guards, in any order.
    pub fn values_mut(&mut self) -> ValuesMut<'_, K, AsyncDropGuard<V, S>> {
        self.entries.values_mut()
    }

    fn empty(hasher: H) -> Self {
        Self { entries: HashMap::with_hasher(hasher), cleanup: ConcurrentCleanup::new() }
    }
}

impl<K: Eq + Hash, V: AsyncDrop, S: State, H: BuildHasher> AsyncDropHashMap<K, V, S, H> {
    /// Takes the entries out one by one, in any order. The entries that the iterator has not
    /// yielded stay in the map.
    #[must_use = "iterators are lazy: entries that it has not yielded stay in the map"]
    pub fn drain(&mut self) -> impl Iterator<Item = (K, AsyncDropGuard<V, S>)> {
        let rest: Vec<_> = self.entries.drain().collect();
        let put_back = |(key, guard)| drop(self.entries.insert(key, guard));
        Drain { rest: rest.into_iter(), put_back }
    }

    /// Inserts the guard if there is no entry for `key`.
    ///
    /// # Errors
    ///
    /// If there is an entry. The error holds the guard, in [`OccupiedError::value`].
    pub fn try_insert(
        &mut self,
        key: K,
        guard: impl IntoGuard<V, S>,
    ) -> Result<&mut AsyncDropGuard<V, S>, OccupiedError<'_, K, V, S>> {
        match self.entries.entry(key) {
            Entry::Occupied(entry) => Err(OccupiedError { entry, value: guard.into() }),
            Entry::Vacant(entry) => Ok(entry.insert(guard.into())),
        }
    }

    /// Inserts the guard, and returns the guard that it replaces.
    #[must_use = "a replaced guard still owes its cleanup, and panics if it is dropped without it; \
                  if the key must be new, use `try_insert`"]
    pub fn insert(&mut self, key: K, guard: AsyncDropGuard<V, S>) -> Option<AsyncDropGuard<V, S>> {
        // If the `Drop` of an equal key panics, a guard is still a local: it is dropped and reported.
        // `HashMap::insert` would leak the replaced guard.
        match self.entries.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(guard);
                None
            }
            // In the `std` of Rust 1.85, `into_mut` drops the key.
            Entry::Occupied(entry) => Some(std::mem::replace(entry.into_mut(), guard)),
        }
    }

    /// Returns a reference to the guard of `key`.
    pub fn get<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> Option<&AsyncDropGuard<V, S>>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key)
    }

    /// Returns a mutable reference to the guard of `key`.
    pub fn get_mut<Q: ?Sized + Eq + Hash>(&mut self, key: &Q) -> Option<&mut AsyncDropGuard<V, S>>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key)
    }

    /// Returns whether there is an entry for `key`.
    pub fn contains_key<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.entries.contains_key(key)
    }

    /// Removes the entry of `key`, and returns its guard.
    #[must_use = "the guard still owes its cleanup, and panics if it is dropped without it"]
    pub fn remove<Q: ?Sized + Eq + Hash>(&mut self, key: &Q) -> Option<AsyncDropGuard<V, S>>
    where
        K: Borrow<Q>,
    {
        let (stored_key, guard) = self.entries.remove_entry(key)?;
        // If this panics, `guard` is dropped and reported. `HashMap::remove` would leak it.
        drop(stored_key);
        Some(guard)
    }
}

/// Cleans up the guards concurrently. See [`AsyncDropHashMap`].
#[async_trait]
impl<K: Send, V, S, H: Send> AsyncDrop for AsyncDropHashMap<K, V, S, H>
where
    V: AsyncDrop<Error: Send>,
    S: Cleanable<V>,
{
    type Error = CleanupErrors<V::Error>;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        async move {
            self.cleanup.extend_keyed(self.entries.drain());
            self.cleanup.clean().await
        }
    }
}

/// Drops every guard and every key, even if the hook, a value or a key panics. The drop of a
/// [`HashMap`] would leak the guards after the first panic.
impl<K, V: AsyncDrop, S: State, H> Drop for AsyncDropHashMap<K, V, S, H> {
    fn drop(&mut self) {
        let parts = |(key, guard)| [Either::Left(guard), Either::Right(key)];
        panic::drop_each(self.entries.drain().flat_map(parts));
    }
}

impl<'a, K, V: AsyncDrop, S: State, H> IntoIterator for &'a AsyncDropHashMap<K, V, S, H> {
    type Item = (&'a K, &'a AsyncDropGuard<V, S>);
    type IntoIter = Iter<'a, K, AsyncDropGuard<V, S>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, K, V: AsyncDrop, S: State, H> IntoIterator for &'a mut AsyncDropHashMap<K, V, S, H> {
    type Item = (&'a K, &'a mut AsyncDropGuard<V, S>);
    type IntoIter = IterMut<'a, K, AsyncDropGuard<V, S>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<K: Debug, V: AsyncDrop + Debug, S: Holds, H> Debug for AsyncDropHashMap<K, V, S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.fmt(f)
    }
}

/// The error of [`try_insert`](crate::collections::AsyncDropHashMap::try_insert): there is an entry
/// for the key already. It holds the refused guard.
#[must_use = "the refused guard still owes its cleanup, and panics if it is dropped without it"]
pub struct OccupiedError<'a, K, V, S: State = Checked> {
    /// The existing entry.
    pub entry: OccupiedEntry<'a, K, AsyncDropGuard<V, S>>,
    /// The refused guard.
    pub value: AsyncDropGuard<V, S>,
}

impl<K: Debug, V, S: State> Debug for OccupiedError<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OccupiedError").field("key", self.entry.key()).finish_non_exhaustive()
    }
}
