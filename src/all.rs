//! Cleaning up what something else owns: one guard in place, or many of them at once.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures::stream::{FuturesUnordered, StreamExt};

use crate::caught::Caught;
use crate::findings::Findings;
use crate::{AsyncDrop, AsyncDropGuard, Cleans, CleanupErrors};

/// Cleans the guard up that `held` holds, and leaves `None` once that has ended, with a result
/// or with a panic. If this is cancelled, `held` holds the guard as before.
pub(crate) fn clean_in_place<T: AsyncDrop, S: Cleans<T>>(
    held: &mut Option<AsyncDropGuard<T, S>>,
) -> impl Future<Output = Result<(), T::Error>> + Send {
    async move {
        let mut ending = EmptiesWhenPolled { held, in_poll: true };
        let Some(guard) = &mut *ending.held else {
            return Ok(());
        };
        let mut cleanup = pin!(S::clean(&mut guard.slot));
        std::future::poll_fn(|cx| poll_marked(&mut ending.in_poll, cleanup.as_mut(), cx)).await
    }
}

#[inline]
fn poll_marked<F: Future>(
    in_poll: &mut bool,
    cleanup: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<F::Output> {
    *in_poll = true;
    let poll = cleanup.poll(cx);
    *in_poll = poll.is_ready();
    poll
}

/// Ends the guard if its cleanup was left inside of its `poll`: by a result or by a panic.
struct EmptiesWhenPolled<'a, T: AsyncDrop, S: Cleans<T>> {
    held: &'a mut Option<AsyncDropGuard<T, S>>,
    in_poll: bool,
}

impl<T: AsyncDrop, S: Cleans<T>> Drop for EmptiesWhenPolled<'_, T, S> {
    fn drop(&mut self) {
        if self.in_poll
            && let Some(guard) = self.held.take()
        {
            AsyncDropGuard::discard(guard);
        }
    }
}

/// Cleans the guards of a vector up concurrently. Those that are not done when this is
/// cancelled are in the vector then, and the errors found so far go to the hook.
pub(crate) fn clean_vec<T: AsyncDrop, S: Cleans<T>>(
    home: &mut Vec<AsyncDropGuard<T, S>>,
) -> impl Future<Output = Result<(), CleanupErrors<T::Error>>> + Send
where
    T::Error: Send,
{
    async move {
        let held = home.drain(..).map(Some).collect();
        let mut borrowed = ReturnsTheRest { home, held };
        let mut findings = Findings::<T, _>::new();
        {
            let cleanups =
                borrowed.held.iter_mut().map(|held| Caught::from_future(clean_in_place(held)));
            let mut cleanups: FuturesUnordered<_> = cleanups.collect();
            while let Some(cleanup) = cleanups.next().await {
                findings.add(cleanup);
            }
        }
        findings.end()
    }
}

/// Puts the guards back that are not done.
struct ReturnsTheRest<'a, T: AsyncDrop, S: Cleans<T>> {
    home: &'a mut Vec<AsyncDropGuard<T, S>>,
    held: Vec<Option<AsyncDropGuard<T, S>>>,
}

impl<T: AsyncDrop, S: Cleans<T>> Drop for ReturnsTheRest<'_, T, S> {
    fn drop(&mut self) {
        self.home.extend(self.held.drain(..).flatten());
    }
}
