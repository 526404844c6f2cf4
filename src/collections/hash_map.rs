//! `AsyncDropHashMap`: guards by key, cleaned up together.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::{Entry, Iter, IterMut, Keys, OccupiedEntry, Values, ValuesMut};
use std::fmt::{self, Debug};
use std::hash::{BuildHasher, Hash, RandomState};

use async_trait::async_trait;

use super::{ConcurrentCleanup, Drain, IntoGuard};
use crate::reaper::Adoptable;
use crate::state::{Brand, Cleanable, Holds, State};
use crate::{Adopted, AsyncDrop, AsyncDropGuard, Checked, CleanupErrors, Live, ReaperHandle};

/// A hash map of guards, which are cleaned up concurrently with the map.
///
/// `S` is the state of the guards inside. [`new`](Self::new) makes a map of [`Checked`] guards,
/// [`live`](AsyncDropHashMap::live) one of [`Live`] guards; the map itself is in a guard of the
/// same state.
///
/// The cleanup of the map goes on after a failure and after a panic. It returns all the errors,
/// in the order in which they were found, or resumes the first panic when all the others have
/// ended; errors go to the [hook](crate::hook) then. How many run at a time is set by
/// [`set_concurrency`](Self::set_concurrency).
///
/// Nothing is lost in here: what an entry held comes back when it is replaced, refused or
/// removed. For the same reason there is no `clear`, no `retain` and no `Extend`, which would
/// drop guards; [`drain`](Self::drain) hands them out. A guard that is removed is the one that
/// was inserted: inside of a [`scope`](crate::scope()) it is still the scope's.
///
/// # Cancel safety
///
/// If a cleanup of the map is cancelled, what is done stays done. The next one finishes exactly
/// the rest, and returns the errors that were found before, too. With a `Checked` map that
/// means to call `async_drop` again; with a `Live` one the map is lost with the future, and
/// reported. Errors for which there is no next call go to the hook.
///
/// Once a cleanup has begun, its entries are out of reach: to all other methods the map is
/// empty. What is inserted then is cleaned up by the next call, with the rest.
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
#[must_use = "the guards inside are dropped without their cleanup, and panic"]
pub struct AsyncDropHashMap<K, V: AsyncDrop, S: State = Checked, H = RandomState> {
    entries: HashMap<K, AsyncDropGuard<V, S>, H>,
    cleanup: ConcurrentCleanup<V, S>,
}

impl<K: Send, V: AsyncDrop<Error: Send> + Send> AsyncDropHashMap<K, V> {
    /// An empty map, of guards that are checked at run time.
    #[track_caller]
    pub fn new() -> AsyncDropGuard<Self> {
        Self::with_hasher(RandomState::new())
    }
}

impl<K: Send, V: AsyncDrop<Error: Send> + Send, H: Send> AsyncDropHashMap<K, V, Checked, H> {
    /// An empty map that hashes with `hasher`, of guards that are checked at run time.
    #[track_caller]
    pub fn with_hasher(hasher: H) -> AsyncDropGuard<Self> {
        AsyncDropGuard::new(Self::empty(hasher))
    }
}

impl<K: Send, V: AsyncDrop<Error: Send> + Send, B: Brand> AsyncDropHashMap<K, V, Live<B>> {
    /// An empty map, of guards that are checked at compile time.
    #[track_caller]
    pub fn live() -> AsyncDropGuard<Self, Live> {
        Self::live_with_hasher(RandomState::new())
    }
}

impl<K: Send, V: AsyncDrop<Error: Send> + Send, B: Brand, H: Send>
    AsyncDropHashMap<K, V, Live<B>, H>
{
    /// An empty map that hashes with `hasher`, of guards that are checked at compile time.
    #[track_caller]
    pub fn live_with_hasher(hasher: H) -> AsyncDropGuard<Self, Live> {
        AsyncDropGuard::live(Self::empty(hasher))
    }
}

impl<K, V> AsyncDropHashMap<K, V, Adopted>
where
    K: Send + 'static,
    V: Adoptable,
{
    /// An empty map of adopted guards, adopted itself: what its owner leaves, `reaper` cleans up.
    #[track_caller]
    pub fn adopted(reaper: &ReaperHandle) -> AsyncDropGuard<Self, Adopted> {
        reaper.adopt(AsyncDropGuard::new(Self::empty(RandomState::new())))
    }
}

impl<K, V: AsyncDrop, S: State, H> AsyncDropHashMap<K, V, S, H> {
    fn empty(hasher: H) -> Self {
        Self { entries: HashMap::with_hasher(hasher), cleanup: ConcurrentCleanup::new() }
    }

    /// Sets how many entries are cleaned up at a time; without it there is no limit.
    ///
    /// The limit is the map's own. Maps inside of the map have theirs, and none waits for
    /// another's turn. An entry whose cleanup waits for that of another entry needs room for
    /// both.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    #[track_caller]
    pub fn set_concurrency(&mut self, limit: usize) -> &mut Self {
        self.cleanup.set_limit::<Self>(limit);
        self
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys and the guards, in any order.
    pub fn iter(&self) -> Iter<'_, K, AsyncDropGuard<V, S>> {
        self.entries.iter()
    }

    /// The keys and the guards, to be changed.
    pub fn iter_mut(&mut self) -> IterMut<'_, K, AsyncDropGuard<V, S>> {
        self.entries.iter_mut()
    }

    /// The keys, in any order.
    pub fn keys(&self) -> Keys<'_, K, AsyncDropGuard<V, S>> {
        self.entries.keys()
    }

    /// The guards, in any order.
    pub fn values(&self) -> Values<'_, K, AsyncDropGuard<V, S>> {
        self.entries.values()
    }

    /// The guards, to be changed.
    pub fn values_mut(&mut self) -> ValuesMut<'_, K, AsyncDropGuard<V, S>> {
        self.entries.values_mut()
    }
}

impl<K: Eq + Hash, V: AsyncDrop, S: State, H: BuildHasher> AsyncDropHashMap<K, V, S, H> {
    /// Takes the entries out, one by one, in any order. Those that the iterator is not asked
    /// for stay in the map.
    #[must_use = "iterators are lazy: nothing is taken out unless it is asked for"]
    pub fn drain(&mut self) -> impl Iterator<Item = (K, AsyncDropGuard<V, S>)> {
        let rest: Vec<_> = self.entries.drain().collect();
        Drain { rest: rest.into_iter(), home: &mut self.entries }
    }

    /// Inserts the guard if there is no entry for `key` yet.
    ///
    /// # Errors
    ///
    /// If there is one. The guard comes back, in [`OccupiedError::value`].
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

    /// Inserts the guard. The one that was there before, if any, comes back.
    #[must_use = "a guard that was replaced still owes its cleanup, and panics if it is dropped before; \
                  where the key must be new, use `try_insert`"]
    pub fn insert(&mut self, key: K, guard: AsyncDropGuard<V, S>) -> Option<AsyncDropGuard<V, S>> {
        self.entries.insert(key, guard)
    }

    /// The guard of `key`.
    pub fn get<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> Option<&AsyncDropGuard<V, S>>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key)
    }

    /// The guard of `key`, to be changed.
    pub fn get_mut<Q: ?Sized + Eq + Hash>(&mut self, key: &Q) -> Option<&mut AsyncDropGuard<V, S>>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key)
    }

    /// Whether there is an entry for `key`.
    pub fn contains_key<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.entries.contains_key(key)
    }

    /// Takes the guard of `key` out.
    #[must_use = "the guard still owes its cleanup, and panics if it is dropped before"]
    pub fn remove<Q: ?Sized + Eq + Hash>(&mut self, key: &Q) -> Option<AsyncDropGuard<V, S>>
    where
        K: Borrow<Q>,
    {
        self.entries.remove(key)
    }
}

/// Cleans the guards up concurrently. See [`AsyncDropHashMap`].
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
            self.cleanup.extend(self.entries.drain().map(|(_, guard)| guard));
            self.cleanup.clean().await
        }
    }
}

/// Std's map would leak the others if the hook panics at the first guard.
impl<K, V: AsyncDrop, S: State, H> Drop for AsyncDropHashMap<K, V, S, H> {
    fn drop(&mut self) {
        self.entries.drain().for_each(drop);
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

/// Why [`try_insert`](crate::collections::AsyncDropHashMap::try_insert) refused a guard: there is an entry for its
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
