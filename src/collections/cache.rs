//! `AsyncDropCache`: shared values by key, each opened when it is first needed.

use std::collections::HashMap;
use std::convert::identity;
use std::fmt;
use std::hash::Hash;
use std::pin::pin;
use std::sync::{Arc, PoisonError};

use crate::guard::Origin;
use crate::reaper::{Adoptable, Shield};
use crate::shim::Mutex;
use crate::state::{Armed, Cleanable, State};
use crate::sync::{AsyncDropArc, AsyncDropWeak};
use crate::{Adopted, AsyncDrop, AsyncDropGuard, Checked, ReaperHandle};

/// A cache of shared values: one open value for each key.
///
/// The first [`get`](AsyncDropCache::get) of a key opens its value, once for all callers that ask at the same
/// time. Every caller gets a handle, an [`AsyncDropArc`]. The cleanup of the last handle closes the value. A `get`
/// that comes after that waits until the cleanup has ended, and then opens anew. So two values of one key never
/// overlap: a file that is locked, a device, a connection that the server allows once.
///
/// The cache holds no value, so it has no cleanup. An opening that fails is an error of the caller that opens;
/// the next caller tries again. The `Hash`, `Eq` and `Drop` of a key must not use the cache, which is locked
/// while they run.
///
/// # Cancel safety
///
/// A cancelled `get` leaves nothing behind. In a cache of [`Checked`] values, it drops the opening. In a
/// cache of [`Adopted`] values, the reaper finishes the opening, and then closes the value unless another
/// caller has got a handle.
///
/// # Examples
///
/// ```
/// use livedrop::collections::AsyncDropCache;
/// use livedrop::AsyncDropGuard;
/// # use std::io;
/// # struct Connection;
/// # impl Connection {
/// #     async fn open(_: &str) -> io::Result<AsyncDropGuard<Connection>> { Ok(AsyncDropGuard::new(Connection)) }
/// #     async fn ask(&self, _: &str) {}
/// # }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # futures::executor::block_on(async {
///
/// let connections = AsyncDropCache::new();
/// let mut first = connections.get("a:1", Connection::open("a:1")).await?;
/// let mut second = connections.get("a:1", Connection::open("a:1")).await?; // the same connection
/// second.ask("hello").await;
/// first.async_drop().await?;
/// second.async_drop().await?; // closes it
/// # Ok::<(), io::Error>(())
/// # }).unwrap();
/// ```
pub struct AsyncDropCache<K, T, S: State = Checked> {
    slots: Mutex<Slots<K, T, S>>,
    reaper: Option<ReaperHandle>,
}

struct Slots<K, T, S: State> {
    by_key: HashMap<K, Arc<Slot<T, S>>>,
    /// At this length, the slots of values that are gone are removed.
    full: usize,
}

/// The last value of a key. Locked while a caller opens the next one.
type Slot<T, S> = futures::lock::Mutex<AsyncDropWeak<T, S>>;

/// A cache with fewer slots does not look for closed values.
const LEAST: usize = 16;

impl<K: Eq + Hash, T: AsyncDrop> AsyncDropCache<K, T> {
    /// Makes an empty cache of values whose handles are checked at run time.
    #[must_use]
    pub fn new() -> Self {
        Self::with_reaper(None)
    }

    /// Returns a handle of the key's value, and opens it first if it is not open.
    ///
    /// `open` is polled only if this caller opens the value.
    ///
    /// # Errors
    ///
    /// Returns the error of `open`.
    ///
    /// # Cancel safety
    ///
    /// If this is cancelled, `open` is dropped.
    #[track_caller]
    pub fn get<E>(
        &self,
        key: K,
        open: impl Future<Output = Result<AsyncDropGuard<T>, E>>,
    ) -> impl Future<Output = Result<AsyncDropGuard<AsyncDropArc<T>>, E>>
    where
        Checked: Cleanable<T> + Cleanable<AsyncDropArc<T>>,
        AsyncDropGuard<T>: Sync,
        AsyncDropArc<T>: AsyncDrop,
    {
        let origin = Origin::here();
        async move { get_or_open(self.slot(key), origin, open, identity).await }
    }
}

impl<K: Eq + Hash, T: Adoptable> AsyncDropCache<K, T, Adopted> {
    /// Makes an empty cache of values that `reaper` adopts.
    ///
    /// Pass a plain handle, not an [`ordered`](ReaperHandle::ordered) one: an opening may wait for the close of
    /// the value before.
    #[must_use]
    pub fn adopted(reaper: &ReaperHandle) -> Self {
        Self::with_reaper(Some(reaper.clone()))
    }

    /// Returns a handle of the key's value, and opens it first if it is not open.
    ///
    /// `open` is polled only if this caller opens the value. The reaper adopts its guard.
    ///
    /// # Errors
    ///
    /// Returns the error of `open`.
    ///
    /// # Cancel safety
    ///
    /// If this is cancelled while it opens the value, the reaper finishes that. If no other caller has got a
    /// handle by then, the reaper closes the value. A closed reaper finishes nothing: see
    /// [`shield`](ReaperHandle::shield).
    #[expect(clippy::missing_panics_doc, reason = "it never panics")]
    #[track_caller]
    pub fn get<A, E>(
        &self,
        key: K,
        open: impl Future<Output = Result<AsyncDropGuard<T, A>, E>> + Send + 'static,
    ) -> impl Future<Output = Result<AsyncDropGuard<AsyncDropArc<T, Adopted>, Adopted>, E>>
    where
        A: Armed + 'static,
        E: Send + 'static,
        Adopted: Cleanable<T> + Cleanable<AsyncDropArc<T, Adopted>>,
        AsyncDropGuard<T, Adopted>: Send + Sync,
        AsyncDropArc<T, Adopted>: AsyncDrop,
    {
        let (origin, shield_origin) = (Origin::here(), Origin::here());
        async move {
            let slot = self.slot(key);
            let reaper = self.reaper.clone().expect("`adopted` has set it");
            let adopter = reaper.clone();
            let begin = move |is_shielded| {
                let adopt = move |guard| adopter.adopt_inside(guard, is_shielded);
                get_or_open(slot, origin, open, adopt)
            };
            Shield::begun(reaper, shield_origin, begin).await
        }
    }
}

impl<K: Eq + Hash, T, S: State> AsyncDropCache<K, T, S> {
    fn with_reaper(reaper: Option<ReaperHandle>) -> Self {
        let slots = Slots { by_key: HashMap::new(), full: LEAST };
        Self { slots: Mutex::new(slots), reaper }
    }

    /// Returns the number of values that are open, being opened or being closed.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.remove_gone();
        slots.by_key.len()
    }

    /// Returns whether no value is open, being opened or being closed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn slot(&self, key: K) -> Arc<Slot<T, S>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.by_key.len() >= slots.full {
            slots.remove_gone();
            slots.full = LEAST.max(2 * slots.by_key.len());
        }
        Arc::clone(slots.by_key.entry(key).or_default())
    }
}

impl<K: Eq + Hash, T, S: State> Slots<K, T, S> {
    /// Removes the slots that nobody uses. Nobody can get one of them meanwhile: the slots are locked.
    fn remove_gone(&mut self) {
        self.by_key.retain(|_, slot| match Arc::get_mut(slot) {
            Some(slot) => !slot.get_mut().is_gone(),
            None => true,
        });
    }
}

/// Returns a handle of the last value, or opens the next one after the last one is gone, and adopts it.
async fn get_or_open<T, S, A, E>(
    slot: Arc<Slot<T, S>>,
    origin: Origin<AsyncDropArc<T, S>>,
    open: impl Future<Output = Result<AsyncDropGuard<T, A>, E>>,
    adopt: impl FnOnce(AsyncDropGuard<T, A>) -> AsyncDropGuard<T, S>,
) -> Result<AsyncDropGuard<AsyncDropArc<T, S>, S>, E>
where
    T: AsyncDrop,
    S: State + Cleanable<T> + Cleanable<AsyncDropArc<T, S>>,
    A: State,
    AsyncDropGuard<T, S>: Sync,
    AsyncDropArc<T, S>: AsyncDrop,
{
    let mut last = slot.lock().await;
    if let Some(handle) = last.upgrade_at(origin) {
        return Ok(handle);
    }
    last.gone().await;
    let opened;
    {
        let open = pin!(open);
        opened = open.await;
    }
    // `open` is dropped by now. If that panicked, `opened` was dropped with its guard.
    let handle = AsyncDropArc::new_at(origin, adopt(opened?));
    *last = AsyncDropArc::downgrade(&handle);
    Ok(handle)
}

impl<K: Eq + Hash, T: AsyncDrop> Default for AsyncDropCache<K, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, T, S: State> fmt::Debug for AsyncDropCache<K, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncDropCache").finish_non_exhaustive()
    }
}
