//! `AsyncDropVec`: guards in a row, cleaned up together.

use std::fmt::{self, Debug};
use std::ops::{Index, IndexMut};
use std::slice::{Iter, IterMut, SliceIndex};

use async_trait::async_trait;

use super::{ConcurrentCleanup, Drain, IntoGuard};
use crate::reaper::Adoptable;
use crate::state::{Brand, Cleanable, Holds, State};
use crate::{Adopted, AsyncDrop, AsyncDropGuard, Checked, CleanupErrors, Live, ReaperHandle};

/// A vector of guards, which are cleaned up concurrently with the vector.
///
/// `S` is the state of the guards inside. [`new`](Self::new) makes a vector of [`Checked`]
/// guards, [`live`](AsyncDropVec::live) one of [`Live`] guards; the vector itself is in a guard
/// of the same state.
///
/// The cleanup of the vector begins with the first guard, and goes on after a failure and after
/// a panic. It returns all the errors, in the order in which they were found, or resumes the
/// first panic when all the others have ended; errors go to the [hook](crate::hook) then. How
/// many run at a time is set by [`set_concurrency`](Self::set_concurrency).
///
/// Nothing is lost in here. For that reason there is no `truncate` and no `clear`, which would
/// drop guards without their cleanup; [`pop`](Self::pop), [`remove`](Self::remove) and
/// [`drain`](Self::drain) hand them out. A guard that is taken out is the one that was put in:
/// inside of a [`scope`](crate::scope()) it is still the scope's.
///
/// Fill it by [`push`](Self::push), or from an iterator by `extend`. There is no `FromIterator`:
/// a vector made by `collect` would name the standard library as the place of its creation.
///
/// # Cancel safety
///
/// If a cleanup of the vector is cancelled, what is done stays done. The next one finishes
/// exactly the rest, and returns the errors that were found before, too. With a `Checked` vector
/// that means to call `async_drop` again; with a `Live` one the vector is lost with the future,
/// and reported. Errors for which there is no next call go to the hook.
///
/// Once a cleanup has begun, its guards are out of reach: to all other methods the vector is
/// empty. What is pushed then is cleaned up by the next call, with the rest.
///
/// # Examples
///
/// ```
/// use livedrop::collections::AsyncDropVec;
/// use livedrop::AsyncDropGuard;
/// # use std::io;
/// # struct Worker;
/// # impl Worker { fn wake(&self) {} }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Worker {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # futures::executor::block_on(async {
/// let mut workers = AsyncDropVec::new();
/// workers.set_concurrency(8);
/// workers.extend((0..20).map(|_| AsyncDropGuard::new(Worker)));
/// workers[0].wake();
/// workers.async_drop().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// Checked at compile time:
///
/// ```
/// use livedrop::collections::AsyncDropVec;
/// use livedrop::{AsyncDropGuard, Live};
/// # use std::io;
/// # struct Worker;
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Worker {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # futures::executor::block_on(async {
/// let mut workers: AsyncDropGuard<AsyncDropVec<Worker, Live>, Live> = AsyncDropVec::live();
/// workers.push(AsyncDropGuard::live(Worker));
/// let outcome = workers.async_drop().await;
/// outcome.result?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[must_use = "the guards inside are dropped without their cleanup, and panic"]
pub struct AsyncDropVec<T: AsyncDrop, S: State = Checked> {
    guards: Vec<AsyncDropGuard<T, S>>,
    cleanup: ConcurrentCleanup<T, S>,
}

impl<T: AsyncDrop<Error: Send> + Send> AsyncDropVec<T> {
    /// An empty vector, of guards that are checked at run time.
    #[track_caller]
    pub fn new() -> AsyncDropGuard<Self> {
        AsyncDropGuard::new(Self::empty())
    }
}

impl<T: AsyncDrop<Error: Send> + Send, B: Brand> AsyncDropVec<T, Live<B>> {
    /// An empty vector, of guards that are checked at compile time.
    #[track_caller]
    pub fn live() -> AsyncDropGuard<Self, Live> {
        AsyncDropGuard::live(Self::empty())
    }
}

impl<T: Adoptable> AsyncDropVec<T, Adopted> {
    /// An empty vector of adopted guards, adopted itself: what its owner leaves, `reaper` cleans
    /// up.
    #[track_caller]
    pub fn adopted(reaper: &ReaperHandle) -> AsyncDropGuard<Self, Adopted> {
        reaper.adopt(AsyncDropGuard::new(Self::empty()))
    }
}

impl<T: AsyncDrop, S: State> AsyncDropVec<T, S> {
    fn empty() -> Self {
        Self { guards: Vec::new(), cleanup: ConcurrentCleanup::new() }
    }

    /// Sets how many guards are cleaned up at a time; without it there is no limit.
    ///
    /// The limit is the vector's own. Vectors inside of the vector have theirs, and none waits
    /// for another's turn. A guard whose cleanup waits for that of another one needs room for
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

    /// Puts the guard behind the last one.
    pub fn push(&mut self, guard: impl IntoGuard<T, S>) {
        self.guards.push(guard.into());
    }

    /// Takes the last guard out.
    #[must_use = "the guard still owes its cleanup, and panics if it is dropped before"]
    pub fn pop(&mut self) -> Option<AsyncDropGuard<T, S>> {
        self.guards.pop()
    }

    /// Takes the guard at `index` out, and closes the gap.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn remove(&mut self, index: usize) -> AsyncDropGuard<T, S> {
        self.guards.remove(index)
    }

    /// The guard at `index`.
    pub fn get(&self, index: usize) -> Option<&AsyncDropGuard<T, S>> {
        self.guards.get(index)
    }

    /// The guard at `index`, to be changed.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut AsyncDropGuard<T, S>> {
        self.guards.get_mut(index)
    }

    /// How many guards there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.guards.len()
    }

    /// Whether there is no guard.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.guards.is_empty()
    }

    /// The guards, from the first to the last.
    pub fn iter(&self) -> Iter<'_, AsyncDropGuard<T, S>> {
        self.guards.iter()
    }

    /// The guards, to be changed.
    pub fn iter_mut(&mut self) -> IterMut<'_, AsyncDropGuard<T, S>> {
        self.guards.iter_mut()
    }

    /// Takes the guards out, one by one, from the first to the last. Those that the iterator is
    /// not asked for stay in the vector.
    #[must_use = "iterators are lazy: nothing is taken out unless it is asked for"]
    pub fn drain(&mut self) -> impl Iterator<Item = AsyncDropGuard<T, S>> {
        let rest = std::mem::take(&mut self.guards).into_iter();
        Drain { rest, home: &mut self.guards }
    }
}

/// Cleans the guards up concurrently. See [`AsyncDropVec`].
#[async_trait]
impl<T: AsyncDrop<Error: Send>, S: Cleanable<T>> AsyncDrop for AsyncDropVec<T, S> {
    type Error = CleanupErrors<T::Error>;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        async move {
            self.cleanup.extend(self.guards.drain(..));
            self.cleanup.clean().await
        }
    }
}

impl<T: AsyncDrop, S: State> Extend<AsyncDropGuard<T, S>> for AsyncDropVec<T, S> {
    fn extend<I: IntoIterator<Item = AsyncDropGuard<T, S>>>(&mut self, guards: I) {
        self.guards.extend(guards);
    }
}

impl<T: AsyncDrop, S: State, I> Index<I> for AsyncDropVec<T, S>
where
    I: SliceIndex<[AsyncDropGuard<T, S>]>,
{
    type Output = I::Output;

    #[track_caller]
    fn index(&self, index: I) -> &I::Output {
        &self.guards[index]
    }
}

impl<T: AsyncDrop, S: State, I> IndexMut<I> for AsyncDropVec<T, S>
where
    I: SliceIndex<[AsyncDropGuard<T, S>]>,
{
    #[track_caller]
    fn index_mut(&mut self, index: I) -> &mut I::Output {
        &mut self.guards[index]
    }
}

impl<'a, T: AsyncDrop, S: State> IntoIterator for &'a AsyncDropVec<T, S> {
    type Item = &'a AsyncDropGuard<T, S>;
    type IntoIter = Iter<'a, AsyncDropGuard<T, S>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T: AsyncDrop, S: State> IntoIterator for &'a mut AsyncDropVec<T, S> {
    type Item = &'a mut AsyncDropGuard<T, S>;
    type IntoIter = IterMut<'a, AsyncDropGuard<T, S>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T: AsyncDrop + Debug, S: Holds> Debug for AsyncDropVec<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.guards.fmt(f)
    }
}
