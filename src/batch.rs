//! Several guards cleaned up concurrently: what the map, the vector and `Vec` share.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::future::Either;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::caught::caught;
use crate::findings::Findings;
use crate::{AsyncDrop, AsyncDropGuard, Cleans, CleanupErrors, State, type_name};

/// Guards whose cleanup was asked for, and what came of those that have ended. Both outlive a
/// cleanup that is cancelled: the next one goes on from here.
pub(crate) struct Batch<T: AsyncDrop, S: State> {
    /// `None` where a cleanup has ended.
    held: Vec<Option<AsyncDropGuard<T, S>>>,
    findings: Findings<T, T::Error>,
    limit: Option<NonZeroUsize>,
}

impl<T: AsyncDrop, S: State> Batch<T, S> {
    pub(crate) fn new() -> Self {
        Self { held: Vec::new(), findings: Findings::new(), limit: None }
    }

    /// At most `limit` cleanups at a time, of what is named `Container`.
    ///
    /// # Panics
    ///
    /// For 0.
    #[track_caller]
    pub(crate) fn limit<Container>(&mut self, limit: usize) {
        let Some(limit) = NonZeroUsize::new(limit) else {
            panic!(
                "with_concurrency(0) on {} would never clean anything up: \
                 give it at least 1, or leave it out to have no limit",
                type_name::of::<Container>(),
            );
        };
        self.limit = Some(limit);
    }

    /// Takes over guards. Their cleanup begins with the next [`clean`](Self::clean).
    pub(crate) fn extend(&mut self, guards: impl Iterator<Item = AsyncDropGuard<T, S>>) {
        self.held.retain(Option::is_some);
        self.held.extend(guards.map(Some));
    }
}

impl<T: AsyncDrop, S: Cleans<T>> Batch<T, S> {
    /// The guards that are not done.
    pub(crate) fn rest(&mut self) -> impl Iterator<Item = AsyncDropGuard<T, S>> {
        self.held.drain(..).flatten().filter(|guard| !S::is_burnt(&guard.slot))
    }

    /// Cleans all of them up, even when some fail or panic. If this is cancelled, those that
    /// are not done are still in here, and so is what was found so far.
    pub(crate) fn clean(
        &mut self,
    ) -> impl Future<Output = Result<(), CleanupErrors<T::Error>>> + Send
    where
        T::Error: Send,
    {
        async move {
            clean_all(&mut self.held, self.limit, &mut self.findings).await;
            // What is left has panicked where that did not end it. It owes nothing any more, and
            // goes while the thread unwinds.
            let left = std::mem::take(&mut self.held).into_iter().flatten();
            let _left: Vec<_> = left.map(|guard| S::into_value(guard.slot)).collect();
            self.findings.end()
        }
    }
}

async fn clean_all<T: AsyncDrop, S: Cleans<T>>(
    held: &mut [Option<AsyncDropGuard<T, S>>],
    limit: Option<NonZeroUsize>,
    findings: &mut Findings<T, T::Error>,
) {
    let mut cleanups = Cleanups {
        unbegun: held.iter_mut().map(S::clean_one_of_many),
        waiting: FuturesUnordered::new(),
        limit,
        spare: None,
        one_waits: false,
    };
    std::future::poll_fn(|cx| {
        loop {
            // One catch for all of them: a cleanup that panics goes off with the panic, and the
            // others go on.
            match caught(|| cleanups.poll(cx, |result| findings.add_result(result))) {
                Ok(poll) => break poll,
                Err(payload) => findings.add_panic(payload),
            }
        }
    })
    .await;
}

/// Cleanups that run concurrently.
struct Cleanups<I, F> {
    unbegun: I,
    waiting: FuturesUnordered<Either<F, Pin<Box<F>>>>,
    /// How many may wait at a time.
    limit: Option<NonZeroUsize>,
    /// As long as no cleanup waits, none costs an allocation: each is polled in the box of the
    /// one before. The first that waits keeps it, since a future stays where it was polled;
    /// those behind it are taken for its like, and begin where they can wait.
    spare: Option<Pin<Box<F>>>,
    one_waits: bool,
}

impl<F: Future, I: Iterator<Item = F>> Cleanups<I, F> {
    /// Polls those that can go on. If one of them panics, it is gone, and this can be polled on.
    fn poll(&mut self, cx: &mut Context<'_>, mut ended: impl FnMut(F::Output)) -> Poll<()> {
        loop {
            while self.limit.is_none_or(|limit| self.waiting.len() < limit.get()) {
                let Some(cleanup) = self.unbegun.next() else { break };
                let waiting = if self.one_waits {
                    Either::Left(cleanup)
                } else {
                    let mut cleanup = boxed(cleanup, self.spare.take());
                    if let Poll::Ready(output) = cleanup.as_mut().poll(cx) {
                        ended(output);
                        self.spare = Some(cleanup);
                        continue;
                    }
                    self.one_waits = true;
                    Either::Right(cleanup)
                };
                self.waiting.push(waiting);
            }
            match ready!(self.waiting.poll_next_unpin(cx)) {
                Some(output) => ended(output),
                None => return Poll::Ready(()),
            }
        }
    }
}

/// Pins the future, in the box of another one if there is one to spare.
fn boxed<F>(future: F, spare: Option<Pin<Box<F>>>) -> Pin<Box<F>> {
    match spare {
        Some(mut spare) => {
            spare.set(future);
            spare
        }
        None => Box::pin(future),
    }
}

/// Cleans the guards of a vector up. Those that are not done when this is cancelled are in the
/// vector then, and the errors found so far go to the hook.
pub(crate) fn clean_vec<T: AsyncDrop, S: Cleans<T>>(
    home: &mut Vec<AsyncDropGuard<T, S>>,
) -> impl Future<Output = Result<(), CleanupErrors<T::Error>>> + Send
where
    T::Error: Send,
{
    async move {
        let mut batch = Batch::new();
        batch.extend(home.drain(..));
        ReturnsTheRest { home, batch }.batch.clean().await
    }
}

/// Puts the guards back that are not done.
struct ReturnsTheRest<'a, T: AsyncDrop, S: Cleans<T>> {
    home: &'a mut Vec<AsyncDropGuard<T, S>>,
    batch: Batch<T, S>,
}

impl<T: AsyncDrop, S: Cleans<T>> Drop for ReturnsTheRest<'_, T, S> {
    fn drop(&mut self) {
        self.home.extend(self.batch.rest());
    }
}
