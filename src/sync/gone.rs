//! `Gone`: waits until the value of an `AsyncDropArc` is gone.
//!
//! # Invariants
//!
//! - [`Waiters`] are woken when their last owner drops them. The owners are the shared guard, the entry of a
//!   value that the guard left to a reaper, and, for a moment, a call of `gone`.
//! - They are dropped after the value, and under no lock.

use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{OnceLock, PoisonError};
use std::task::{Context, Poll};

use futures::channel::oneshot;

use crate::AsyncDropGuard;
use crate::guard::Slot;
use crate::panic::drop_caught;
use crate::shim::{Arc, Mutex, Weak};
use crate::state::State;

/// The future of [`AsyncDropWeak::gone`](crate::sync::AsyncDropWeak::gone).
///
/// # Cancel safety
///
/// Cancel safe: it only waits. If it is polled after it was ready, it is ready again.
#[must_use = "futures do nothing unless awaited: without this, a new value can overlap with the old one"]
pub struct Gone {
    /// `None` once it was ready.
    value: Option<oneshot::Receiver<Infallible>>,
}

impl Gone {
    pub(super) fn new(waiters: &Weak<Waiters>) -> Self {
        // If the value goes during this call, `waiters` is the last owner, and wakes the new waiter, too.
        let value = waiters.upgrade().map(|waiters| {
            let (sender, receiver) = oneshot::channel();
            waiters.add(sender);
            receiver
        });
        Self { value }
    }
}

impl Future for Gone {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(value) = &mut self.value {
            match Pin::new(value).poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(oneshot::Canceled)) => self.value = None,
                Poll::Ready(Ok(never)) => match never {},
            }
        }
        Poll::Ready(())
    }
}

impl fmt::Debug for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gone").finish_non_exhaustive()
    }
}

/// The waiters for the end of one value. Dropping this wakes them.
#[derive(Default)]
pub(crate) struct Waiters {
    waiters: Mutex<Vec<oneshot::Sender<Infallible>>>,
}

impl Waiters {
    fn add(&self, waiter: oneshot::Sender<Infallible>) {
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cancelled = Vec::new();
        if waiters.len() == waiters.capacity() {
            // Waiters that gave up must not pile up while the value lives.
            let all = std::mem::take(&mut *waiters);
            (*waiters, cancelled) = all.into_iter().partition(|waiter| !waiter.is_canceled());
            let free = waiters.len() + 1;
            waiters.reserve(free);
        }
        waiters.push(waiter);
        drop(waiters);
        drop(cancelled);
    }
}

impl Drop for Waiters {
    fn drop(&mut self) {
        let waiters = self.waiters.get_mut().unwrap_or_else(PoisonError::into_inner);
        // A waker that panics must neither keep the others waiting nor take the result of the cleanup away.
        for waiter in std::mem::take(waiters) {
            drop_caught(waiter);
        }
    }
}

/// A shared guard, and the waiters for the end of its value.
pub(super) struct Watched<T, S: State> {
    /// `None` once it was taken out.
    guard: Option<AsyncDropGuard<T, S>>,
    /// Made for the first weak reference.
    waiters: OnceLock<Arc<Waiters>>,
}

impl<T, S: State> Watched<T, S> {
    pub(super) fn new(guard: AsyncDropGuard<T, S>) -> Self {
        Self { guard: Some(guard), waiters: OnceLock::new() }
    }

    pub(super) fn waiters(&self) -> Weak<Waiters> {
        Arc::downgrade(self.waiters.get_or_init(|| Arc::new(Waiters::default())))
    }

    pub(super) fn get_mut(&mut self) -> &mut AsyncDropGuard<T, S> {
        self.guard.as_mut().expect(THERE)
    }

    /// Takes the guard out. Nobody waits for it after that.
    pub(super) fn into_guard(mut self) -> AsyncDropGuard<T, S> {
        self.guard.take().expect(THERE)
    }

    /// Hands the guard over to the library; see [`Slot::into_owned`].
    pub(super) fn into_owned(mut self) -> Watched<T, S::Owned> {
        let waiters = std::mem::take(&mut self.waiters);
        let guard = self.guard.take().map(|guard| AsyncDropGuard { slot: guard.slot.into_owned() });
        Watched { guard, waiters }
    }
}

const THERE: &str = "only methods that consume this take the guard out";

impl<T, S: State> Deref for Watched<T, S> {
    type Target = AsyncDropGuard<T, S>;

    fn deref(&self) -> &AsyncDropGuard<T, S> {
        self.guard.as_ref().expect(THERE)
    }
}

/// Drops the guard, and then the waiters. If a reaper gets the value, its entry has the waiters.
impl<T, S: State> Drop for Watched<T, S> {
    #[inline]
    fn drop(&mut self) {
        if let (Some(guard), Some(waiters)) = (&self.guard, self.waiters.get()) {
            if let Some(entry) = guard.slot.entry() {
                entry.keep(Arc::clone(waiters));
            }
        }
    }
}
