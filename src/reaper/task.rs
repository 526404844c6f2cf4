//! `CleanupTask`: the cleanup of one orphan, for a task of its own.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::entry::{Entry, EntryState};
use super::orphan::Orphan;
use super::registry::{Inner, Registry};
use super::slab::Key;
use crate::shim::{ThreadId, thread_id};

/// The cleanup of one orphan, which [`Reaper::run_with`](crate::Reaper::run_with) gives to its spawner.
///
/// The cleanup itself stays with the reaper; this future polls it.
///
/// # Cancel safety
///
/// If this is dropped before it is ready, the drivers of the reaper finish the cleanup.
#[must_use = "futures do nothing unless polled: spawn this"]
pub struct CleanupTask {
    registry: Arc<Registry>,
    key: Key,
    has_ended: bool,
}

impl CleanupTask {
    /// Takes the next orphan that the reaper has not begun. `None` if there is none, or if the limit is reached.
    pub(super) fn next(registry: &Arc<Registry>) -> Option<Self> {
        let key = registry.update(Inner::spawn)?;
        Some(Self { registry: Arc::clone(registry), key, has_ended: false })
    }
}

impl Future for CleanupTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.has_ended {
            return Poll::Ready(());
        }
        let (waker, thread) = (cx.waker().clone(), thread_id());
        let taken = self.registry.update(|inner| inner.take_for_task(self.key, thread));
        self.has_ended = match taken {
            None => true,
            Some((mut orphan, _previous)) => {
                orphan.poll(&self.registry, cx);
                let unused = self.registry.update(|inner| inner.settle_task(orphan, thread, waker));
                unused.is_some()
            }
        };
        if self.has_ended { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for CleanupTask {
    fn drop(&mut self) {
        if !self.has_ended {
            let _waker = self.registry.update(|inner| inner.return_from_task(self.key));
        }
    }
}

impl fmt::Debug for CleanupTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CleanupTask").finish_non_exhaustive()
    }
}

impl Inner {
    fn spawn(&mut self) -> Option<Key> {
        let key = self.begin_fresh()?;
        let state = &mut self.entries.get_mut(key)?.state;
        *state = EntryState::Spawned(state.take().0?, None);
        Some(key)
    }

    /// Takes the cleanup out to poll it, and the waker of the poll before. `None` if it was abandoned.
    fn take_for_task(&mut self, key: Key, thread: ThreadId) -> Option<(Orphan, Option<Waker>)> {
        let state = &mut self.entries.get_mut(key)?.state;
        let (cleanup, previous) = state.take();
        *state = EntryState::Polled { woken: false };
        self.polling.push(thread);
        Some((Orphan { key, cleanup, waker: None, failure: None }, previous))
    }

    /// Settles the poll of a task. Returns the waker if the orphan has ended.
    fn settle_task(&mut self, polled: Orphan, thread: ThreadId, waker: Waker) -> Option<Waker> {
        self.stop_polling(thread);
        let key = polled.key;
        self.settle(polled, Instant::now());
        let Some(Entry { state, .. }) = self.entries.get_mut(key) else { return Some(waker) };
        if let (Some(cleanup), _) = state.take() {
            *state = EntryState::Spawned(cleanup, Some(waker));
        }
        None
    }

    /// Makes the orphan of a dropped task ready for the drivers. Returns the waker of its last poll.
    fn return_from_task(&mut self, key: Key) -> Option<Waker> {
        let waker = self.entries.get_mut(key).and_then(|Entry { state, .. }| {
            let (cleanup, waker) = state.take();
            *state = EntryState::Woken(cleanup?, None);
            self.woken.push_back(key);
            waker
        });
        self.lose_orphans();
        waker
    }
}
