//! `Shutdown`: ends a reaper before a deadline.

use std::fmt;
use std::future::{pending, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures::future::select;
use futures::{Stream, StreamExt};

use super::{Drain, Pending, Reaper, Report};
use crate::AsyncDropGuard;
use crate::guard::Slot;
use crate::hook::{self, Cause};
use crate::panic::drop_caught;

/// The future of [`Reaper::shutdown`].
///
/// # Cancel safety
///
/// It owns the reaper. If it is dropped before it is ready, the reaper is reported: as cancelled, or, before the
/// first poll, as forgotten. If no [`Run`](super::Run) is left to clean up the remaining orphans, each of them is
/// lost, and reported.
#[must_use = "futures do nothing unless awaited: dropping this loses the reaper"]
pub struct Shutdown<D> {
    drain: Drain<'static>,
    reaper: Ending,
    deadline: Pin<Box<D>>,
}

/// The reaper that is shut down. Reports it if it is dropped before the end.
struct Ending {
    /// `None` once the shutdown has ended.
    guard: Option<AsyncDropGuard<Reaper>>,
    is_polled: bool,
}

impl<D: Future> Shutdown<D> {
    pub(super) fn new(guard: AsyncDropGuard<Reaper>, deadline: D) -> Self {
        guard.close();
        let drain = Drain::new(guard.registry());
        let reaper = Ending { guard: Some(guard), is_polled: false };
        Self { drain, reaper, deadline: Box::pin(deadline) }
    }

    /// Calls `watch` with the values that the shutdown still waits for, at every item of `ticks`.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::stream;
    /// use livedrop::Reaper;
    /// use std::time::Duration;
    /// use tokio::time::sleep;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let reaper = Reaper::new();
    /// // One tick a second. `tokio_stream::wrappers::IntervalStream` is another such stream.
    /// let ticks = stream::unfold((), |()| async { Some((sleep(Duration::from_secs(1)).await, ())) });
    /// let report = Reaper::shutdown(reaper, sleep(Duration::from_secs(10)))
    ///     .watch(ticks, |pending| {
    ///         for value in pending {
    ///             eprintln!("still waiting for {value}");
    ///         }
    ///     })
    ///     .await;
    /// assert!(report.into_result().is_ok());
    /// # }
    /// ```
    pub fn watch(
        self,
        ticks: impl Stream,
        mut watch: impl FnMut(Vec<Pending>),
    ) -> Shutdown<impl Future> {
        let Self { drain, reaper, deadline } = self;
        let handle = reaper.guard.as_ref().map(|reaper| reaper.handle());
        let watching = async move {
            if let Some(handle) = handle {
                let ticks = ticks.for_each(|_| {
                    watch(handle.pending());
                    ready(())
                });
                ticks.await;
            }
            pending::<()>().await;
        };
        let deadline = async move {
            let watching = pin!(watching);
            drop(select(deadline, watching).await);
        };
        Shutdown { drain, reaper, deadline: Box::pin(deadline) }
    }
}

impl<D: Future> Future for Shutdown<D> {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        let Self { drain, reaper, deadline } = &mut *self;
        reaper.is_polled = true;
        let report = match (Pin::new(drain).poll(cx), &reaper.guard) {
            (Poll::Ready(report), _) => report,
            (Poll::Pending, Some(guard)) if deadline.as_mut().poll(cx).is_ready() => {
                guard.abandon()
            }
            (Poll::Pending, _) => return Poll::Pending,
        };
        // This tells the hook if an undecided orphan has not ended. A panic of the hook must not take the report.
        drop_caught(reaper.guard.take().map(AsyncDropGuard::into_inner_without_cleanup));
        Poll::Ready(report)
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let Some(guard) = self.guard.take() else { return };
        if self.is_polled {
            let origin = guard.slot.origin();
            // Reported before the reaper is dropped, which reports its orphans.
            let _reaper = AsyncDropGuard::into_inner_without_cleanup(guard);
            hook::report_lost(origin, Cause::CancelledInCleanup);
        }
    }
}

impl<D> fmt::Debug for Shutdown<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").finish_non_exhaustive()
    }
}
