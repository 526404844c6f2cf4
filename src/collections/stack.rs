//! `AsyncDropStack`: guards of any types, cleaned up in the reverse order of their pushing.

use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use async_trait::async_trait;

use crate::deferred::CleanupOutput;
use crate::errors::ErrorCollector;
use crate::guard::{Origin, Slot};
use crate::panic::catch;
use crate::state::{Armed, Cleanable, Holds, State};
use crate::{Adopted, AsyncDrop, AsyncDropGuard, Checked, CleanupErrors, Live, ReaperHandle};

mod entry;
mod erased_error;
mod key;

pub use erased_error::ErasedError;
pub use key::Key;

use entry::{DeferredFuture, Entries, Stacked};
use key::Refused;

/// Names the state of the guards inside without owning one: always `Send` and `Sync`.
type GuardsIn<S> = PhantomData<fn() -> S>;

/// Guards of any types, cleaned up last in, first out.
///
/// It is what `AsyncExitStack` is in Python and `AsyncDisposableStack` in JavaScript. Push each
/// guard as soon as there is one, and use the value through the [`Key`] that comes back:
/// `stack[key]`. Cleaning up the stack cleans up what is in it, one after another, each before
/// what was pushed before it. It goes on after an error and after a panic.
///
/// The state `S` is that of the guards inside: a [`new`](AsyncDropStack::new) stack takes
/// [`Checked`] guards, a [`live`](AsyncDropStack::live) one takes [`Live`] guards.
///
/// A stack that is dropped without its cleanup drops its values in that order, too.
///
/// # Errors
///
/// Cleaning up returns all errors, in the order in which they were found, each as an
/// [`ErasedError`] that names the type it is of.
///
/// # Panics
///
/// Cleaning up resumes the first panic of a cleanup once everything else is cleaned up. The
/// errors and the other panics go to the [hook](crate::hook) then.
///
/// # Cancel safety
///
/// Cleaning up is cancel safe: what is done stays done, the rest is still held and still armed,
/// and the errors found so far are kept. The next call cleans up the rest and returns them all.
///
/// # Examples
///
/// A constructor that can fail at each of its steps. Up to `pop_all`, whatever goes wrong
/// cleans up what there is by then; `pop_all` hands it over to the finished value.
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
///             // Nothing can fail from here on.
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
    state: GuardsIn<S>,
}

impl AsyncDropStack<Checked> {
    /// An empty stack for guards that are checked at run time. So is its own.
    #[track_caller]
    pub fn new() -> AsyncDropGuard<Self> {
        AsyncDropGuard::new(Self::empty())
    }
}

impl AsyncDropStack<Live> {
    /// An empty stack for guards that are checked at compile time. So is its own.
    #[track_caller]
    pub fn live() -> AsyncDropGuard<Self, Live> {
        AsyncDropGuard::live(Self::empty())
    }
}

impl AsyncDropStack<Adopted> {
    /// An empty stack of adopted guards, adopted itself: what its owner leaves, `reaper` cleans
    /// up.
    ///
    /// It needs no [`pop_all`](Self::pop_all), and has none: a constructor that fails or is
    /// cancelled just leaves it, and one that ends well hands it over as it is.
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
    /// // The stack and, with it, the database.
    /// assert!(reaper.drain().await.failures.is_empty());
    /// reaper.async_drop().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn adopted(reaper: &ReaperHandle) -> AsyncDropGuard<Self, Adopted> {
        reaper.adopt(AsyncDropGuard::new(Self::empty()))
    }
}

impl<S: State> AsyncDropStack<S> {
    fn empty() -> Self {
        Self { entries: Entries::new(), errors: ErrorCollector::new(), state: PhantomData }
    }

    /// Puts a guard on top of the stack, and returns the key to its value.
    ///
    /// A value that is not [`Sync`] has no place in here, since a shared stack would share it.
    /// [`defer`](Self::defer) its cleanup instead.
    pub fn push<T>(&mut self, guard: AsyncDropGuard<T, S>) -> Key<T>
    where
        T: AsyncDrop<Error: Send + Sync> + Sync + 'static,
        S: Cleanable<T> + 'static,
        AsyncDropGuard<T, S>: Sync,
    {
        Key::new(self.entries.push(Stacked::new(guard)))
    }

    /// Puts a future on top of the stack: cleaning up awaits it at its place in the order.
    ///
    /// It returns `()` or a `Result<(), E>`. It is not polled before the cleanup, and if that
    /// is cancelled, the next one resumes it.
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
        // Nobody sees the guard, so it need not be in the state `S`.
        self.entries.push(Stacked::new(AsyncDropGuard::new(DeferredFuture::new(future))));
    }

    /// Moves everything to a new stack, and leaves this one empty.
    ///
    /// The keys are keys of the new stack from then on. Errors that a cancelled cleanup has
    /// found already go along.
    ///
    /// For the end of a constructor: what was held in case that a step fails belongs to the
    /// finished value. See [the example](AsyncDropStack#examples).
    ///
    /// A stack of adopted guards has no `pop_all`, since there is no guard on an empty stack that
    /// could say which reaper the new one is for: hand over [the stack](AsyncDropStack::adopted)
    /// itself. What comes off a `Checked` stack can be adopted: `reaper.adopt(stack.pop_all())`.
    // The state of the new guard is that of the guards inside, whatever that of this stack's
    // own guard is: the brand of a scope must not come to a second guard.
    #[track_caller]
    pub fn pop_all(&mut self) -> AsyncDropGuard<Self, S>
    where
        S: Armed,
    {
        let all = std::mem::replace(self, Self::empty());
        AsyncDropGuard::owing(Origin::here(), all, None)
    }

    /// How many cleanups are owed: of guards and of deferred futures.
    #[must_use = "it only counts"]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no cleanup is owed.
    #[must_use = "it only looks"]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key; `None` if it is cleaned up, or if the key is of another stack.
    #[must_use = "it only looks"]
    pub fn get<T: 'static>(&self, key: Key<T>) -> Option<&T>
    where
        S: Holds + 'static,
    {
        self.guard(key).ok()?.slot.get()
    }

    /// The value of a key; `None` if it is cleaned up, or if the key is of another stack.
    #[must_use = "it only looks"]
    pub fn get_mut<T: 'static>(&mut self, key: Key<T>) -> Option<&mut T>
    where
        S: Holds + 'static,
    {
        self.guard_mut(key).ok()?.slot.get_mut()
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

/// Shows the types of the values, in the order of their pushing.
impl<S: State> Debug for AsyncDropStack<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncDropStack ")?;
        f.debug_list().entries(self.entries.iter().map(entry::Entry::type_name)).finish()
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
