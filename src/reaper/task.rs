//! `CleanupTask`: the cleanup of one orphan, for a task of its own.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::registry::Registry;
use super::slab::Key;
use crate::shim::thread_id;

/// The cleanup of one orphan, which [`Reaper::run_with`](crate::Reaper::run_with) gives to its spawner.
///
/// The cleanup itself stays with the reaper; this future polls it. If it is dropped before it is ready,
/// the drivers of the reaper finish the cleanup.
#[must_use = "futures do nothing unless polled: spawn this"]
pub struct CleanupTask {
    registry: Arc<Registry>,
    key: Key,
    has_ended: bool,
}

impl CleanupTask {
    pub(super) fn new(registry: &Arc<Registry>, key: Key) -> Self {
        Self { registry: Arc::clone(registry), key, has_ended: false }
    }
}

impl Future for CleanupTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.has_ended {
            return Poll::Ready(());
        }
        let thread = thread_id();
        let is_pending = match self.registry.take_for_task(self.key, cx.waker().clone(), thread) {
            None => false,
            Some(mut taken) => {
                taken.poll(cx);
                self.registry.report_failure(&mut taken);
                self.registry.settle_task(taken, thread)
            }
        };
        self.has_ended = !is_pending;
        if is_pending { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for CleanupTask {
    fn drop(&mut self) {
        if !self.has_ended {
            self.registry.return_from_task(self.key);
        }
    }
}

impl fmt::Debug for CleanupTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CleanupTask").finish_non_exhaustive()
    }
}
