//! The entries of a stack: guards whose type is erased, and deferred futures.

use std::any::Any;
use std::pin::Pin;

use async_trait::async_trait;
use futures::future::BoxFuture;

use super::erased_error::ErasedError;
use super::key::{Place, Refused, StackId};
use crate::deferred::CleanupOutput;
use crate::guard::clean_in_place;
use crate::state::{Cleanable, State};
use crate::sync_wrapper::SyncWrapper;
use crate::{AsyncDrop, AsyncDropGuard, type_name};

/// The numbered entries of a stack, from the bottom to the top.
pub(super) struct Entries {
    id: StackId,
    /// The number of the next entry. No number is used twice, so that the key of an entry that was
    /// cleaned up never leads to a later entry.
    next: usize,
    stacked: Vec<(usize, Box<dyn Entry>)>,
}

impl Entries {
    pub(super) fn new() -> Self {
        Self { id: StackId::unique(), next: 0, stacked: Vec::new() }
    }

    pub(super) fn push(&mut self, entry: impl Entry) -> Place {
        let place = Place { stack: self.id, number: self.next };
        self.next += 1;
        self.stacked.push((place.number, Box::new(entry)));
        place
    }

    pub(super) fn get(&self, place: Place) -> Result<&dyn Entry, Refused> {
        Ok(&*self.stacked[self.index(place)?].1)
    }

    pub(super) fn get_mut(&mut self, place: Place) -> Result<&mut dyn Entry, Refused> {
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

    pub(super) fn len(&self) -> usize {
        self.stacked.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn Entry> {
        self.stacked.iter().map(|(_, entry)| &**entry)
    }

    /// Returns the entry on top.
    pub(super) fn last_mut(&mut self) -> Option<&mut dyn Entry> {
        match self.stacked.last_mut() {
            Some((_, entry)) => Some(&mut **entry),
            None => None,
        }
    }

    /// Drops the entry on top.
    pub(super) fn drop_last(&mut self) {
        self.stacked.pop();
    }
}

/// Drops the entries in the order in which they would be cleaned up. The drop of a `Vec` would
/// start at the bottom.
impl Drop for Entries {
    fn drop(&mut self) {
        while self.len() > 0 {
            self.drop_last();
        }
    }
}

/// A guard whose type is erased. Its key has the type.
pub(super) trait Entry: Send + Sync + 'static {
    /// Cleans up the value in place. If this is cancelled, the entry still owes its cleanup.
    fn clean(&mut self) -> BoxFuture<'_, Result<(), ErasedError>>;

    /// Returns the name of the value's type, without paths.
    fn type_name(&self) -> String;

    // Upcasting to `dyn Any` needs Rust 1.86.
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl dyn Entry {
    pub(super) fn downcast_ref<T: 'static, S: State + 'static>(&self) -> &AsyncDropGuard<T, S> {
        let stacked = self.as_any().downcast_ref::<Stacked<T, S>>();
        stacked.and_then(|stacked| stacked.guard.as_ref()).expect(TYPED)
    }

    pub(super) fn downcast_mut<T: 'static, S: State + 'static>(
        &mut self,
    ) -> &mut AsyncDropGuard<T, S> {
        let stacked = self.as_any_mut().downcast_mut::<Stacked<T, S>>();
        stacked.and_then(|stacked| stacked.guard.as_mut()).expect(TYPED)
    }
}

const TYPED: &str =
    "a key has the type of its guard, and its entry holds the guard until it is cleaned up";

/// A guard as an entry.
pub(super) struct Stacked<T, S: State> {
    /// `None` once its cleanup has ended.
    guard: Option<AsyncDropGuard<T, S>>,
}

impl<T, S: State> Stacked<T, S> {
    pub(super) fn new(guard: AsyncDropGuard<T, S>) -> Self {
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
pub(super) struct DeferredFuture<F> {
    future: SyncWrapper<Pin<Box<F>>>,
}

impl<F> DeferredFuture<F> {
    pub(super) fn new(future: F) -> Self {
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
