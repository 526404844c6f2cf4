//! `AsyncDropStack`: guards of different types, cleaned up last in, first out.

use std::any::Any;
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};
use std::pin::Pin;

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::deferred::CleanupOutput;
use crate::errors::ErrorCollector;
use crate::guard::{AdoptedSlot, Arms, Origin, Slot, clean_in_place};
use crate::panic::{self, catch};
use crate::reaper::{Registration, Stage};
use crate::shim::SyncWrapper;
use crate::state::{Armed, Cleanable, Holds, State};
use crate::{
    Adopted, AsyncDrop, AsyncDropGuard, Checked, CleanupErrors, Live, ReaperHandle, type_name,
};

mod erased_error;
mod key;

pub use erased_error::ErasedError;
pub use key::Key;

use key::{Place, Refused, StackId};

/// Names the state of the guards inside without owning a guard: always `Send` and `Sync`.
type GuardsIn<S> = PhantomData<fn() -> S>;

/// A stack of guards of different types, cleaned up last in, first out.
///
/// It is similar to `AsyncExitStack` in Python and `AsyncDisposableStack` in JavaScript. Push each
/// guard as soon as it is made, and use its value through the returned [`Key`]: `stack[key]`. The
/// cleanup of the stack cleans up its values one after another, the last one first. It continues
/// after an error and after a panic.
///
/// `S` is the state of the guards inside: a [`new`](AsyncDropStack::new) stack takes [`Checked`]
/// guards, a [`live`](AsyncDropStack::live) stack takes [`Live`] guards.
///
/// A stack that is dropped without its cleanup drops its values in the same order.
///
/// # Errors
///
/// The cleanup returns all errors, in the order in which they were found. Each is an
/// [`ErasedError`] that names the type of the value.
///
/// # Panics
///
/// If a cleanup panics, the first panic is resumed after everything else is cleaned up. The errors
/// and the other panics then go to the [hook](crate::hook).
///
/// # Cancel safety
///
/// The cleanup is cancel safe: after a cancellation, the stack still holds the guards that are not
/// cleaned up, and the errors found so far. The next call cleans up these guards and returns all
/// errors.
///
/// # Examples
///
/// A constructor whose every step can fail. If a step fails before `pop_all`, `with_async_drop`
/// cleans up the guards that were pushed by then. `pop_all` moves the guards to the finished value.
///
/// ```
/// use std::error::Error;
///
/// use async_trait::async_trait;
/// use livedrop::collections::{AsyncDropStack, ErasedError, Key};
/// use livedrop::{AsyncDrop, AsyncDropGuard, CleanupErrors, with_async_drop};
/// # use std::io;
/// # struct Database;
/// # struct Cache;
/// # impl Database {
/// #     async fn open() -> io::Result<AsyncDropGuard<Self>> { Ok(AsyncDropGuard::new(Database)) }
/// #     async fn migrate(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # impl Cache {
/// #     async fn open() -> io::Result<AsyncDropGuard<Self>> { Ok(AsyncDropGuard::new(Cache)) }
/// #     fn len(&self) -> usize { 3 }
/// # }
/// # #[async_trait]
/// # impl AsyncDrop for Database {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # #[async_trait]
/// # impl AsyncDrop for Cache {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
///
/// struct Service {
///     cache: Key<Cache>,
///     parts: AsyncDropGuard<AsyncDropStack>,
/// }
///
/// impl Service {
///     async fn start() -> Result<AsyncDropGuard<Service>, Box<dyn Error + Send + Sync>> {
///         let stack = AsyncDropStack::new();
///         with_async_drop(stack, async |stack| {
///             let database = stack.push(Database::open().await?);
///             stack[database].migrate().await?;
///             let cache = stack.push(Cache::open().await?);
///             stack.defer(async { println!("the service stops") });
///             // No step after this one can fail.
///             Ok(AsyncDropGuard::new(Service { cache, parts: stack.pop_all() }))
///         })
///         .await
///     }
///
///     fn cached(&self) -> usize {
///         self.parts[self.cache].len()
///     }
/// }
///
/// #[async_trait]
/// impl AsyncDrop for Service {
///     type Error = CleanupErrors<ErasedError>;
///
///     async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
///         self.parts.async_drop().await // prints, closes the cache, closes the database
///     }
/// }
/// # futures::executor::block_on(async {
///
/// let mut service = Service::start().await?;
/// assert_eq!(service.cached(), 3);
/// service.async_drop().await?;
/// # Ok::<(), Box<dyn Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
///
/// Checked at compile time:
///
/// ```
/// use livedrop::collections::AsyncDropStack;
/// use livedrop::AsyncDropGuard;
/// # use std::io;
/// # struct Connection;
/// # impl Connection { async fn send(&mut self, _: &str) {} }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # futures::executor::block_on(async {
///
/// let mut stack = AsyncDropStack::live();
/// let connection = stack.push(AsyncDropGuard::live(Connection));
/// stack[connection].send("hello").await;
/// let proof = stack.async_drop().await.into_result()?;
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
pub struct AsyncDropStack<S: State = Checked> {
    entries: Entries,
    errors: ErrorCollector<Self, ErasedError>,
    /// The entry that `pending` shows the members under. `None` if the stack was made without a reaper.
    registered: Option<Registration>,
    state: GuardsIn<S>,
}

impl AsyncDropStack<Checked> {
    /// Makes an empty stack of guards that are checked at run time.
    #[track_caller]
    pub fn new() -> AsyncDropGuard<Self> {
        AsyncDropGuard::new(Self::empty())
    }
}

impl AsyncDropStack<Live> {
    /// Makes an empty stack of guards that are checked at compile time.
    #[track_caller]
    pub fn live() -> AsyncDropGuard<Self, Live> {
        AsyncDropGuard::live(Self::empty())
    }
}

impl AsyncDropStack<Adopted> {
    /// Makes an empty stack of adopted guards. The stack is adopted, too: if its owner does not
    /// clean it up, `reaper` does.
    ///
    /// It has no [`pop_all`](Self::pop_all), because it needs none: a constructor that fails or is
    /// cancelled drops the stack and leaves the cleanup to the reaper. A constructor that succeeds
    /// returns the stack itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use livedrop::collections::AsyncDropStack;
    /// use livedrop::{Adopted, AsyncDropGuard, Reaper, ReaperHandle};
    /// # use std::io;
    /// # struct Database;
    /// # impl Database {
    /// #     async fn open() -> io::Result<AsyncDropGuard<Self>> { Ok(AsyncDropGuard::new(Database)) }
    /// #     async fn migrate(&mut self) -> io::Result<()> { Err(io::Error::other("disk full")) }
    /// # }
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for Database {
    /// #     type Error = io::Error;
    /// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
    /// # }
    ///
    /// type Parts = AsyncDropGuard<AsyncDropStack<Adopted>, Adopted>;
    ///
    /// async fn start(reaper: &ReaperHandle) -> io::Result<Parts> {
    ///     let mut parts = AsyncDropStack::adopted(reaper);
    ///     let database = parts.push(reaper.acquire(Database::open()).await?);
    ///     parts[database].migrate().await?; // the reaper closes the database if this fails
    ///     Ok(parts)
    /// }
    /// # futures::executor::block_on(async {
    ///
    /// let mut reaper = Reaper::new();
    /// assert!(start(&reaper.handle()).await.is_err());
    /// // This closes the database: it was on the stack that `start` dropped.
    /// assert!(reaper.drain().await.failures.is_empty());
    /// reaper.async_drop().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn adopted(reaper: &ReaperHandle) -> AsyncDropGuard<Self, Adopted> {
        let origin = Origin::here();
        let registration = reaper.register(origin, Stage::Alive);
        let registered = registration.as_ref().map(Registration::borrowed);
        let stack = Self { registered, ..Self::empty() };
        AsyncDropGuard { slot: AdoptedSlot::new(origin, stack, registration) }
    }
}

impl<S: State> AsyncDropStack<S> {
    /// Pushes a guard onto the stack, and returns the key to its value.
    ///
    /// The value must be [`Sync`], because a reference to the stack gives access to it. For a value
    /// that is not, [`defer`](Self::defer) its cleanup.
    pub fn push<T>(&mut self, guard: AsyncDropGuard<T, S>) -> Key<T>
    where
        T: AsyncDrop<Error: Send + Sync> + Sync + 'static,
        S: Cleanable<T> + 'static,
        AsyncDropGuard<T, S>: Sync,
    {
        if let (Some(stack), Some(member)) = (&self.registered, guard.slot.entry()) {
            member.join(stack);
        }
        Key::new(self.entries.push(Stacked::new(guard)))
    }

    /// Pushes a future onto the stack. The cleanup awaits it when its turn comes.
    ///
    /// The future returns `()` or a `Result<(), E>`. It is not polled before the cleanup. If the
    /// cleanup is cancelled, the next call resumes the future.
    ///
    /// # Examples
    ///
    /// ```
    /// # use livedrop::collections::{AsyncDropStack, ErasedError};
    /// # use livedrop::CleanupErrors;
    /// # async fn remove(_: &str) -> std::io::Result<()> { Ok(()) }
    /// # futures::executor::block_on(async {
    /// let mut stack = AsyncDropStack::new();
    /// stack.defer(async { println!("second") });
    /// stack.defer(async { remove("first.tmp").await });
    /// stack.async_drop().await?;
    /// # Ok::<(), CleanupErrors<ErasedError>>(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn defer<F>(&mut self, future: F)
    where
        F: Future<Output: CleanupOutput<Error: Send + Sync + 'static>> + Send + 'static,
    {
        // No key leads to this guard, so it need not be in the state `S`. If the stack is adopted, the
        // guard is a part of it, and reports nothing itself.
        let future = DeferredFuture::new(future);
        if S::Slot::<Self>::BACKED {
            let guard = AsyncDropGuard::wrapper(Origin::here(), future, None);
            self.entries.push(Stacked::<_, Adopted>::new(guard));
        } else {
            self.entries.push(Stacked::new(AsyncDropGuard::new(future)));
        }
    }

    /// Moves all entries to a new stack, and leaves this one empty.
    ///
    /// The keys then belong to the new stack. Errors that a cancelled cleanup has already found
    /// move to the new stack, too.
    ///
    /// Call this at the end of a constructor: it moves the guards, which would be cleaned up if a
    /// step failed, to the finished value. See [the example](AsyncDropStack#examples).
    ///
    /// A stack of adopted guards has no `pop_all`, because an empty stack holds no guard that names
    /// the reaper. Return [the stack](AsyncDropStack::adopted) itself. The `pop_all` of a `Checked`
    /// stack returns a stack that can be adopted: `reaper.adopt(stack.pop_all())`.
    // The new guard has the state of the guards inside, not of this stack's own guard: a scope's
    // brand must not pass to a second guard.
    #[track_caller]
    pub fn pop_all(&mut self) -> AsyncDropGuard<Self, S>
    where
        S: Armed,
    {
        let all = std::mem::replace(self, Self::empty());
        AsyncDropGuard::wrapper(Origin::here(), all, None)
    }

    /// Returns the number of guards and deferred futures that are not cleaned up.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether everything is cleaned up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a reference to the value of `key`, or `None` if the value is cleaned up or the key
    /// belongs to another stack.
    #[must_use]
    pub fn get<T: 'static>(&self, key: Key<T>) -> Option<&T>
    where
        S: Holds + 'static,
    {
        self.guard(key).ok()?.slot.get()
    }

    /// Returns a mutable reference to the value of `key`, or `None` if the value is cleaned up or
    /// the key belongs to another stack.
    #[must_use]
    pub fn get_mut<T: 'static>(&mut self, key: Key<T>) -> Option<&mut T>
    where
        S: Holds + 'static,
    {
        self.guard_mut(key).ok()?.slot.get_mut()
    }

    fn empty() -> Self {
        let (entries, errors) = (Entries::new(), ErrorCollector::new());
        Self { entries, errors, registered: None, state: PhantomData }
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

/// Cleans up the entries one after another, the last one first. See [`AsyncDropStack`].
#[async_trait]
impl<S: State> AsyncDrop for AsyncDropStack<S> {
    type Error = CleanupErrors<ErasedError>;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        async move {
            while let Some(last) = self.entries.last_mut() {
                self.errors.add(catch(last.clean()).await);
                self.entries.drop_last();
            }
            self.errors.finish()
        }
    }
}

/// Shows the types of the values, in the order in which they were pushed.
impl<S: State> Debug for AsyncDropStack<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncDropStack ")?;
        f.debug_list().entries(self.entries.iter().map(Entry::type_name)).finish()
    }
}

/// Returns the value of a key.
///
/// # Panics
///
/// If the value is cleaned up, or if the key belongs to another stack.
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

/// Returns the value of a key.
///
/// # Panics
///
/// If the value is cleaned up, or if the key belongs to another stack.
impl<T: 'static, S: Holds + 'static> IndexMut<Key<T>> for AsyncDropStack<S> {
    #[track_caller]
    fn index_mut(&mut self, key: Key<T>) -> &mut T {
        match self.guard_mut(key) {
            Ok(guard) => guard,
            Err(refused) => refused.panic::<T>(),
        }
    }
}

/// The numbered entries of a stack, from the bottom to the top.
struct Entries {
    id: StackId,
    /// The number of the next entry. No number is used twice, so that the key of an entry that was
    /// cleaned up never leads to a later entry.
    next: usize,
    stacked: Vec<(usize, Box<dyn Entry>)>,
}

impl Entries {
    fn new() -> Self {
        Self { id: StackId::unique(), next: 0, stacked: Vec::new() }
    }

    fn push(&mut self, entry: impl Entry) -> Place {
        let place = Place { stack: self.id, number: self.next };
        self.next += 1;
        self.stacked.push((place.number, Box::new(entry)));
        place
    }

    fn get(&self, place: Place) -> Result<&dyn Entry, Refused> {
        Ok(&*self.stacked[self.index(place)?].1)
    }

    fn get_mut(&mut self, place: Place) -> Result<&mut dyn Entry, Refused> {
        let index = self.index(place)?;
        Ok(&mut *self.stacked[index].1)
    }

    fn index(&self, place: Place) -> Result<usize, Refused> {
        if place.stack != self.id {
            return Err(Refused::OtherStack);
        }
        let number = |entry: &(usize, _)| entry.0;
        self.stacked.binary_search_by_key(&place.number, number).map_err(|_| Refused::CleanedUp)
    }

    fn len(&self) -> usize {
        self.stacked.len()
    }

    fn iter(&self) -> impl Iterator<Item = &dyn Entry> {
        self.stacked.iter().map(|(_, entry)| &**entry)
    }

    /// Returns the entry on top.
    fn last_mut(&mut self) -> Option<&mut dyn Entry> {
        match self.stacked.last_mut() {
            Some((_, entry)) => Some(&mut **entry),
            None => None,
        }
    }

    /// Drops the entry on top.
    fn drop_last(&mut self) {
        self.stacked.pop();
    }
}

/// Drops the entries in the order in which they would be cleaned up. The drop of a `Vec` would
/// start at the bottom.
impl Drop for Entries {
    fn drop(&mut self) {
        panic::drop_each(std::iter::from_fn(|| self.stacked.pop()));
    }
}

/// A guard whose type is erased. Its key has the type.
trait Entry: Send + Sync + 'static {
    /// Cleans up the value in place. If this is cancelled, the entry still owes its cleanup.
    fn clean(&mut self) -> BoxFuture<'_, Result<(), ErasedError>>;

    /// Returns the name of the value's type, without paths.
    fn type_name(&self) -> String;

    // Upcasting to `dyn Any` needs Rust 1.86.
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl dyn Entry {
    fn downcast_ref<T: 'static, S: State + 'static>(&self) -> &AsyncDropGuard<T, S> {
        let stacked = self.as_any().downcast_ref::<Stacked<T, S>>();
        stacked.and_then(|stacked| stacked.guard.as_ref()).expect(TYPED)
    }

    fn downcast_mut<T: 'static, S: State + 'static>(&mut self) -> &mut AsyncDropGuard<T, S> {
        let stacked = self.as_any_mut().downcast_mut::<Stacked<T, S>>();
        stacked.and_then(|stacked| stacked.guard.as_mut()).expect(TYPED)
    }
}

const TYPED: &str =
    "a key has the type of its guard, and its entry holds the guard until it is cleaned up";

/// A guard as an entry.
struct Stacked<T, S: State> {
    /// `None` once its cleanup has ended.
    guard: Option<AsyncDropGuard<T, S>>,
}

impl<T, S: State> Stacked<T, S> {
    fn new(guard: AsyncDropGuard<T, S>) -> Self {
        Self { guard: Some(guard) }
    }
}

impl<T, S> Entry for Stacked<T, S>
where
    T: AsyncDrop<Error: Send + Sync> + 'static,
    S: Cleanable<T> + 'static,
    AsyncDropGuard<T, S>: Sync,
{
    fn clean(&mut self) -> BoxFuture<'_, Result<(), ErasedError>> {
        Box::pin(async move {
            let result = clean_in_place(&mut self.guard).await;
            result.map_err(|error| ErasedError::new(type_name::of::<T>(), error))
        })
    }

    fn type_name(&self) -> String {
        type_name::of::<T>()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// A deferred future as a value. The cleanup of the value awaits the future.
struct DeferredFuture<F> {
    future: SyncWrapper<Pin<Box<F>>>,
}

impl<F> DeferredFuture<F> {
    fn new(future: F) -> Self {
        Self { future: SyncWrapper::new(Box::pin(future)) }
    }
}

// Excluded from rustc's list of implementations: users cannot name this type.
#[diagnostic::do_not_recommend]
#[async_trait]
impl<F> AsyncDrop for DeferredFuture<F>
where
    F: Future<Output: CleanupOutput> + Send,
{
    type Error = <F::Output as CleanupOutput>::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        // The guard drops this value when the cleanup ends, so a finished future is not polled
        // again.
        async move { self.future.get_mut().as_mut().await.into_result() }
    }
}
