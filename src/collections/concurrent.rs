//! Cleans up many guards concurrently: what the map, the vector and `Vec` share.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::future::Either;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::errors::ErrorCollector;
use crate::guard::{OwnedSlot, Slot, clean};
use crate::panic::caught;
use crate::state::{Cleanable, State};
use crate::{AsyncDrop, AsyncDropGuard, CleanupErrors, type_name};

/// Guards whose cleanup was asked for, and the results of those that have ended. Both outlive a
/// cleanup that is cancelled: the next one goes on from here.
pub(crate) struct ConcurrentCleanup<T: AsyncDrop, S: State> {
    slots: Vec<OwnedSlot<T, S>>,
    errors: ErrorCollector<T, T::Error>,
    limit: Option<NonZeroUsize>,
}

impl<T: AsyncDrop, S: State> ConcurrentCleanup<T, S> {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), errors: ErrorCollector::new(), limit: None }
    }

    /// Lets at most `limit` cleanups of a `Container` wait at a time.
    ///
    /// # Panics
    ///
    /// For 0.
    #[track_caller]
    pub(crate) fn set_limit<Container>(&mut self, limit: usize) {
        let Some(limit) = NonZeroUsize::new(limit) else {
            panic!(
                "set_concurrency(0) on {} would never clean anything up: \
                 give it at least 1, or leave it out to have no limit",
                type_name::of::<Container>(),
            );
        };
        self.limit = Some(limit);
    }

    /// Adds guards. Their cleanup begins with the next [`clean`](Self::clean).
    pub(crate) fn extend(&mut self, guards: impl Iterator<Item = AsyncDropGuard<T, S>>) {
        self.slots.extend(guards.map(|guard| guard.slot.into_owned()));
    }

    /// Takes out the guards whose cleanup has not ended.
    pub(crate) fn drain_owing(&mut self) -> impl Iterator<Item = AsyncDropGuard<T, S>> {
        let owing = self.slots.drain(..).filter(|slot| !slot.is_done());
        owing.filter_map(S::Slot::from_owned).map(|slot| AsyncDropGuard { slot })
    }
}

impl<T: AsyncDrop, S: Cleanable<T>> ConcurrentCleanup<T, S> {
    /// Cleans up all of them, even when some fail or panic. If this is cancelled, the guards whose
    /// cleanup has not ended are still in here, and so are the errors found so far.
    pub(crate) fn clean(
        &mut self,
    ) -> impl Future<Output = Result<(), CleanupErrors<T::Error>>> + Send
    where
        T::Error: Send,
    {
        async move {
            let mut cleanups = Cleanups {
                pending: self.slots.iter_mut().map(clean),
                waiting: FuturesUnordered::new(),
                limit: self.limit,
                spare_box: None,
                any_pending: false,
            };
            let errors = &mut self.errors;
            std::future::poll_fn(|cx| {
                loop {
                    // One catch for all of them: a cleanup that panics is gone after that, and the
                    // others go on.
                    match caught(|| cleanups.poll(cx, |result| errors.add_result(result))) {
                        Ok(poll) => break poll,
                        Err(payload) => errors.add_panic(payload),
                    }
                }
            })
            .await;
            drop(cleanups);
            self.slots.clear();
            self.errors.finish()
        }
    }
}

/// Cleanups that run concurrently.
struct Cleanups<I, F> {
    /// Those that were not polled yet.
    pending: I,
    waiting: FuturesUnordered<Either<F, Pin<Box<F>>>>,
    /// How many may wait at a time.
    limit: Option<NonZeroUsize>,
    /// As long as no cleanup waits, none costs an allocation: each is polled in the box of the one
    /// before. The first that waits keeps the box, since a future stays where it was polled. The
    /// ones after it are taken to wait as well, and begin in `waiting`.
    spare_box: Option<Pin<Box<F>>>,
    any_pending: bool,
}

impl<F: Future, I: Iterator<Item = F>> Cleanups<I, F> {
    /// Polls the cleanups that are ready. If one of them panics, it is gone, and the next poll goes on.
    fn poll(&mut self, cx: &mut Context<'_>, mut ended: impl FnMut(F::Output)) -> Poll<()> {
        loop {
            while self.limit.is_none_or(|limit| self.waiting.len() < limit.get()) {
                let Some(cleanup) = self.pending.next() else { break };
                if self.any_pending {
                    self.waiting.push(Either::Left(cleanup));
                    continue;
                }
                let mut cleanup = boxed(cleanup, self.spare_box.take());
                if let Poll::Ready(output) = cleanup.as_mut().poll(cx) {
                    ended(output);
                    self.spare_box = Some(cleanup);
                } else {
                    self.any_pending = true;
                    self.waiting.push(Either::Right(cleanup));
                }
            }
            match ready!(self.waiting.poll_next_unpin(cx)) {
                Some(output) => ended(output),
                None => return Poll::Ready(()),
            }
        }
    }
}

/// Pins the future, in the spare box if there is one.
fn boxed<F>(future: F, spare_box: Option<Pin<Box<F>>>) -> Pin<Box<F>> {
    match spare_box {
        Some(mut spare_box) => {
            spare_box.set(future);
            spare_box
        }
        None => Box::pin(future),
    }
}

/// Cleans up the guards of a vector. If this is cancelled, the guards whose cleanup has not ended are
/// in the vector again, and the errors found so far go to the hook.
pub(crate) fn clean_vec<T: AsyncDrop, S: Cleanable<T>>(
    home: &mut Vec<AsyncDropGuard<T, S>>,
) -> impl Future<Output = Result<(), CleanupErrors<T::Error>>> + Send
where
    T::Error: Send,
{
    async move {
        let mut cleanup = ConcurrentCleanup::new();
        cleanup.extend(home.drain(..));
        RestoreOnDrop { home, cleanup }.cleanup.clean().await
    }
}

/// Puts the guards back whose cleanup has not ended.
struct RestoreOnDrop<'a, T: AsyncDrop, S: State> {
    home: &'a mut Vec<AsyncDropGuard<T, S>>,
    cleanup: ConcurrentCleanup<T, S>,
}

impl<T: AsyncDrop, S: State> Drop for RestoreOnDrop<'_, T, S> {
    fn drop(&mut self) {
        self.home.extend(self.cleanup.drain_owing());
    }
}
