//! `AsyncDropVec`: a vector of guards whose values are cleaned up together.

use std::fmt::{self, Debug};
use std::ops::{Index, IndexMut};
use std::slice::{Iter, IterMut, SliceIndex};

use async_trait::async_trait;

use super::{ConcurrentCleanup, Drain, IntoGuard};
use crate::guard::Origin;
use crate::reaper::Adoptable;
use crate::state::{Backing, Backs, Brand, Cleanable, Holds, State, Unscoped};
use crate::{
    Adopted, AsyncDrop, AsyncDropGuard, Checked, CleanupErrors, Live, ReaperHandle, panic,
};

/// A vector of guards. The cleanup of the vector cleans up all values concurrently.
///
/// `S` is the state of the guards inside. [`new`](Self::new) makes a vector of [`Checked`] guards,
/// [`live`](AsyncDropVec::live) a vector of [`Live`] guards. The guard of the vector is in the same
/// state.
///
/// The cleanup of the vector starts with the first guard, and continues after an error and after a
/// panic. It returns all errors, in the order in which they were found. If a cleanup panics, it
/// resumes the first panic after all cleanups have ended, and the errors go to the
/// [hook](crate::hook). [`set_concurrency`](Self::set_concurrency) limits how many cleanups run at
/// the same time.
///
/// There is no `truncate` or `clear`, because they would drop guards without their cleanup. Use
/// [`pop`](Self::pop), [`remove`](Self::remove) or [`drain`](Self::drain), which return the guards.
/// A guard that is taken out of the vector is unchanged: in a [`scope`](crate::scope()), it still
/// belongs to that scope.
///
/// Fill a vector with [`push`](Self::push), or from an iterator with `extend`. There is no
/// `FromIterator`: the creation site of a collected vector would be inside the standard library.
///
/// # Cancel safety
///
/// A cancelled cleanup of the vector keeps its progress. The next call cleans up the remaining
/// guards, and also returns the errors that were found before. For a `Checked` vector, call
/// `async_drop` again. A `Live` vector is dropped with its future, and reported. Errors that no
/// later call can return go to the hook.
///
/// Once a cleanup has begun, the other methods do not see its guards: the vector looks empty to
/// them. The next call also cleans up the guards that were pushed since.
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
#[must_use = "dropping a vector outside its guard drops the guards inside without their cleanup"]
pub struct AsyncDropVec<T: AsyncDrop, S: State = Checked> {
    guards: Vec<AsyncDropGuard<T, S>>,
    cleanup: ConcurrentCleanup<T, S>,
}

impl<T: AsyncDrop<Error: Send> + Send> AsyncDropVec<T> {
    /// Makes an empty vector of guards that are checked at run time.
    #[track_caller]
    pub fn new() -> AsyncDropGuard<Self> {
        AsyncDropGuard::new(Self::empty())
    }
}

impl<T, B: Brand, K: Backing> AsyncDropVec<T, Live<B, K>>
where
    T: AsyncDrop<Error: Send> + Send,
    Live<B, K>: Cleanable<T>,
{
    /// Makes an empty vector of guards that are checked at compile time.
    ///
    /// If a reaper backs the guards, dropping the vector leaves them to it.
    #[track_caller]
    pub fn live() -> AsyncDropGuard<Self, Live<Unscoped, K>>
    where
        K: Backs<Self>,
    {
        AsyncDropGuard::wrapper(Origin::here(), Self::empty(), None)
    }
}

impl<T: Adoptable> AsyncDropVec<T, Adopted> {
    /// Makes an empty vector of adopted guards. The vector is adopted, too: if its owner does not
    /// clean it up, `reaper` does.
    #[track_caller]
    pub fn adopted(reaper: &ReaperHandle) -> AsyncDropGuard<Self, Adopted> {
        reaper.adopt(AsyncDropGuard::new(Self::empty()))
    }
}

impl<T: AsyncDrop, S: State> AsyncDropVec<T, S> {
    /// Limits how many guards are cleaned up at the same time. By default there is no limit.
    ///
    /// The limit is for this vector only: vectors inside the vector have limits of their own. If
    /// the cleanup of one guard waits for the cleanup of another, the limit must be large enough
    /// for both.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    #[track_caller]
    pub fn set_concurrency(&mut self, limit: usize) -> &mut Self {
        self.cleanup.set_limit::<Self>(limit);
        self
    }

    /// Appends the guard.
    pub fn push(&mut self, guard: impl IntoGuard<T, S>) {
        self.guards.push(guard.into());
    }

    /// Removes the last guard, and returns it.
    #[must_use = "the guard still owes its cleanup, and panics if it is dropped without it"]
    pub fn pop(&mut self) -> Option<AsyncDropGuard<T, S>> {
        self.guards.pop()
    }

    /// Removes the guard at `index`, and returns it. The guards after it move up by one.
    ///
    /// # Panics
    ///
    /// If `index` is out of bounds.
    #[track_caller]
    pub fn remove(&mut self, index: usize) -> AsyncDropGuard<T, S> {
        self.guards.remove(index)
    }

    /// Returns a reference to the guard at `index`.
    pub fn get(&self, index: usize) -> Option<&AsyncDropGuard<T, S>> {
        self.guards.get(index)
    }

    /// Returns a mutable reference to the guard at `index`.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut AsyncDropGuard<T, S>> {
        self.guards.get_mut(index)
    }

    /// Returns the number of guards.
    #[must_use]
    pub fn len(&self) -> usize {
        self.guards.len()
    }

    /// Returns whether the vector has no guards.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.guards.is_empty()
    }

    /// Iterates over the guards, from the first to the last.
    pub fn iter(&self) -> Iter<'_, AsyncDropGuard<T, S>> {
        self.guards.iter()
    }

    /// Iterates over mutable references to the guards, from the first to the last.
    pub fn iter_mut(&mut self) -> IterMut<'_, AsyncDropGuard<T, S>> {
        self.guards.iter_mut()
    }

    /// Takes the guards out one by one, from the first to the last. The guards that the iterator
    /// has not yielded stay in the vector.
    #[must_use = "iterators are lazy: guards that it has not yielded stay in the vector"]
    pub fn drain(&mut self) -> impl Iterator<Item = AsyncDropGuard<T, S>> {
        let rest = std::mem::take(&mut self.guards).into_iter();
        Drain { rest, put_back: |guard| self.guards.push(guard) }
    }

    fn empty() -> Self {
        Self { guards: Vec::new(), cleanup: ConcurrentCleanup::new() }
    }
}

/// Cleans up the guards concurrently. See [`AsyncDropVec`].
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

/// Drops every guard, even if the hook or a value panics. Two panics in the drop of a [`Vec`] would abort.
impl<T: AsyncDrop, S: State> Drop for AsyncDropVec<T, S> {
    fn drop(&mut self) {
        panic::drop_each(self.guards.drain(..));
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
