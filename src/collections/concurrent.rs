//! Cleans up many guards concurrently, for `AsyncDropHashMap`, `AsyncDropVec` and `Vec`.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::FutureExt;
use futures::future::{Either, Fuse};
use futures::stream::{FuturesUnordered, StreamExt};

use crate::errors::ErrorCollector;
use crate::guard::{OwnedSlot, Slot, clean};
use crate::panic::{self, caught};
use crate::state::{Cleanable, State};
use crate::{AsyncDrop, AsyncDropGuard, CleanupErrors, type_name};

/// The guards to clean up, and the errors found so far.
///
/// Both survive the cancellation of a cleanup. The next cleanup continues with them.
pub(crate) struct ConcurrentCleanup<T: AsyncDrop, S: State> {
    slots: Vec<OwnedSlot<T, S>>,
    errors: ErrorCollector<T, T::Error>,
    limit: Option<NonZeroUsize>,
}

impl<T: AsyncDrop, S: State> ConcurrentCleanup<T, S> {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), errors: ErrorCollector::new(), limit: None }
    }

    /// Sets how many cleanups of a `Container` may be pending at the same time.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    #[track_caller]
    pub(crate) fn set_limit<Container>(&mut self, limit: usize) {
        let Some(limit) = NonZeroUsize::new(limit) else {
            panic!(
                "set_concurrency(0) on {} would never clean anything up: \
                 set it to at least 1, or do not call it to have no limit",
                type_name::of::<Container>(),
            );
        };
        self.limit = Some(limit);
    }

    /// Adds guards. Their cleanup begins with the next [`clean`](Self::clean).
    pub(crate) fn extend(&mut self, guards: impl Iterator<Item = AsyncDropGuard<T, S>>) {
        self.slots.extend(guards.map(|guard| guard.slot.into_owned()));
    }

    /// Adds the guards of `entries`, and drops the keys. If the `Drop` of a key panics, the next
    /// [`clean`](Self::clean) resumes the panic when all cleanups have ended.
    pub(crate) fn extend_keyed<K>(
        &mut self,
        entries: impl Iterator<Item = (K, AsyncDropGuard<T, S>)>,
    ) {
        let errors = &mut self.errors;
        self.slots.extend(entries.map(|(key, guard)| {
            if let Err(payload) = caught(|| drop(key)) {
                errors.add_panic(payload);
            }
            guard.slot.into_owned()
        }));
    }

    /// Takes out the guards whose cleanup has not ended.
    pub(crate) fn drain_owing(&mut self) -> impl Iterator<Item = AsyncDropGuard<T, S>> {
        let owing = self.slots.drain(..).filter(|slot| !slot.is_done());
        owing.filter_map(S::Slot::from_owned).map(|slot| AsyncDropGuard { slot })
    }
}

impl<T: AsyncDrop, S: Cleanable<T>> ConcurrentCleanup<T, S> {
    /// Cleans up all guards, even if some cleanups fail or panic. If this is cancelled, `self`
    /// keeps the guards whose cleanup has not ended, and the errors found so far.
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
                    // One catch around all cleanups is enough: `poll` removes a cleanup that
                    // panics, and the next iteration continues with the others.
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

/// Drops every guard, even if the hook or a value panics. Two panics in the drop of a `Vec` would abort.
impl<T: AsyncDrop, S: State> Drop for ConcurrentCleanup<T, S> {
    fn drop(&mut self) {
        panic::drop_each(self.slots.drain(..));
    }
}

/// Cleanups that run concurrently.
struct Cleanups<I, F: Future> {
    /// The cleanups that were not polled yet.
    pending: I,
    /// The cleanups that were polled and are not ready, and later ones.
    waiting: FuturesUnordered<Either<Fuse<F>, Pin<Box<F>>>>,
    /// How many cleanups may be in `waiting`.
    limit: Option<NonZeroUsize>,
    /// A box to poll the next cleanup in. While every cleanup is ready at its first poll, all of
    /// them reuse one box. The first cleanup that is not ready keeps the box, since a polled future
    /// must not move. All later cleanups go to `waiting` unpolled: they are likely to wait, too.
    spare_box: Option<Pin<Box<F>>>,
    any_pending: bool,
}

impl<F: Future, I: Iterator<Item = F>> Cleanups<I, F> {
    /// Polls the cleanups that can make progress. If one of them panics, it is removed, and the
    /// next call continues with the others.
    fn poll(&mut self, cx: &mut Context<'_>, mut ended: impl FnMut(F::Output)) -> Poll<()> {
        loop {
            while self.limit.is_none_or(|limit| self.waiting.len() < limit.get()) {
                let Some(cleanup) = self.pending.next() else { break };
                if self.any_pending {
                    self.waiting.push(Either::Left(cleanup.fuse()));
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

impl<I, F: Future> Drop for Cleanups<I, F> {
    /// Drops the futures one at a time. `FuturesUnordered` leaks the others if one panics, with the guards in them.
    fn drop(&mut self) {
        let waiting = Pin::new(&mut self.waiting).iter_pin_mut();
        panic::for_each(waiting, |mut cleanup| cleanup.set(Either::Left(Fuse::terminated())));
    }
}

/// Pins `future`, in `spare_box` if there is one.
fn boxed<F>(future: F, spare_box: Option<Pin<Box<F>>>) -> Pin<Box<F>> {
    match spare_box {
        Some(mut spare_box) => {
            spare_box.set(future);
            spare_box
        }
        None => Box::pin(future),
    }
}

/// Cleans up the guards in `guards`, and leaves it empty.
///
/// If this is cancelled, the guards whose cleanup has not ended are in `guards` again, and the
/// errors found so far go to the hook.
pub(crate) fn clean_vec<T: AsyncDrop, S: Cleanable<T>>(
    guards: &mut Vec<AsyncDropGuard<T, S>>,
) -> impl Future<Output = Result<(), CleanupErrors<T::Error>>> + Send
where
    T::Error: Send,
{
    async move {
        let mut cleanup = ConcurrentCleanup::new();
        cleanup.extend(guards.drain(..));
        RestoreOnDrop { guards, cleanup }.cleanup.clean().await
    }
}

/// Puts the guards whose cleanup has not ended back into the vector.
struct RestoreOnDrop<'a, T: AsyncDrop, S: State> {
    guards: &'a mut Vec<AsyncDropGuard<T, S>>,
    cleanup: ConcurrentCleanup<T, S>,
}

impl<T: AsyncDrop, S: State> Drop for RestoreOnDrop<'_, T, S> {
    fn drop(&mut self) {
        self.guards.extend(self.cleanup.drain_owing());
    }
}
