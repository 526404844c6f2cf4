//! `Acquire`: opens a guard for a reaper, even if the caller is cancelled.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::channel::oneshot;

use super::orphan::start;
use super::{Adoptable, ReaperHandle, Registration, Stage};
use crate::guard::{AdoptedSlot, Origin, Slot};
use crate::hook::Cause;
use crate::state::Armed;
use crate::{Adopted, AsyncDropGuard};

/// The future of [`Reaper::acquire`](crate::Reaper::acquire): opens a guard and adopts it.
///
/// # Cancel safety
///
/// If this is dropped after its first poll and before it is ready, the reaper finishes `open` and
/// cleans up its guard.
#[must_use = "futures do nothing unless awaited: dropping this opens nothing"]
pub struct Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    handle: ReaperHandle,
    /// Where `acquire` was called.
    origin: Origin<T>,
    step: Step<F>,
    /// Tells the opening of `acquire_with` that the caller is gone.
    caller: Option<Caller>,
}

enum Step<F> {
    /// Not polled yet.
    New(F),
    /// Polled, so it is pinned on the heap: the reaper can take it over without moving it. There is
    /// no registration if the reaper was closed.
    Opening(Pin<Box<F>>, Option<Registration>),
    /// Ready, being polled, or panicked during a poll.
    Over,
}

impl<T, S, E, F> Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    pub(super) fn new(
        handle: ReaperHandle,
        origin: Origin<T>,
        open: F,
        caller: Option<Caller>,
    ) -> Self {
        Self { handle, origin, step: Step::New(open), caller }
    }

    /// Registers the opening at the first poll. Returns `false` if the reaper is closed.
    fn begin(&mut self) -> bool {
        let step = std::mem::replace(&mut self.step, Step::Over);
        let Step::New(open) = step else {
            self.step = step;
            return true;
        };
        let registration = self.handle.register(self.origin, Stage::Opening);
        let is_registered = registration.is_some();
        self.step = Step::Opening(Box::pin(open), registration);
        is_registered
    }
}

/// `F` is pinned only once it is polled, and then it is in a box.
impl<T, S, E, F> Unpin for Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
}

impl<T, S, E, F> Future for Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    type Output = Result<AsyncDropGuard<T, Adopted>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.begin();
        let Step::Opening(mut open, registration) = std::mem::replace(&mut self.step, Step::Over)
        else {
            panic!("`Acquire` was polled after it was ready");
        };
        // If `open` panics, both locals are dropped: the reaper does not wait for this value.
        let Poll::Ready(result) = open.as_mut().poll(cx) else {
            self.step = Step::Opening(open, registration);
            return Poll::Pending;
        };
        // If this panics, `result` and `registration` are locals: the guard is reported, and the reaper
        // does not wait for it.
        drop(open);
        if let Some(Caller(sender)) = self.caller.take() {
            let _is_dropped = sender.send(Opened);
        }
        let guard = match result {
            Ok(guard) => guard,
            Err(error) => {
                // If a waker panics now, `error` is a local and is dropped, with the guards inside.
                drop(registration);
                return Poll::Ready(Err(error));
            }
        };
        if let Some(registration) = &registration {
            registration.renew(guard.slot.origin());
        }
        Poll::Ready(Ok(AdoptedSlot::adopt(guard, registration)))
    }
}

impl<T, S, E, F> Drop for Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    fn drop(&mut self) {
        if let Step::Opening(mut open, Some(mut registration)) =
            std::mem::replace(&mut self.step, Step::Over)
        {
            let entry = registration.borrowed();
            let cleanup = async move {
                // An opening that fails now has made nothing that must be cleaned up.
                let result = open.as_mut().await;
                // If this panics, `result` is a local, and its guard is reported.
                drop(open);
                let opened = result.ok().and_then(|guard| guard.slot.take().ok());
                let Some((origin, value)) = opened else { return Ok(()) };
                entry.renew_orphan(origin);
                start(value).await
            };
            registration.orphan(Box::pin(cleanup), Cause::ReaperGone);
        }
    }
}

impl<T, S, E, F> fmt::Debug for Acquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").finish_non_exhaustive()
    }
}

/// The future of [`ReaperHandle::try_acquire`]: an [`Acquire`] that a closed reaper refuses.
///
/// # Cancel safety
///
/// As [`Acquire`].
#[must_use = "futures do nothing unless awaited: dropping this opens nothing"]
pub struct TryAcquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    pub(super) acquire: Acquire<T, S, E, F>,
}

impl<T, S, E, F> Future for TryAcquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    type Output = Result<AsyncDropGuard<T, Adopted>, TryAcquireError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.acquire.begin() {
            self.acquire.step = Step::Over;
            return Poll::Ready(Err(TryAcquireError::Closed));
        }
        Pin::new(&mut self.acquire).poll(cx).map_err(TryAcquireError::Open)
    }
}

impl<T, S, E, F> fmt::Debug for TryAcquire<T, S, E, F>
where
    T: Adoptable,
    S: Armed,
    F: Future<Output = Result<AsyncDropGuard<T, S>, E>> + Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryAcquire").finish_non_exhaustive()
    }
}

/// Why [`try_acquire`](ReaperHandle::try_acquire) has no guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryAcquireError<E> {
    /// The reaper is closed. `open` was not polled.
    Closed,
    /// The error of `open`.
    Open(E),
}

impl<E: fmt::Display> fmt::Display for TryAcquireError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the reaper is closed and opens nothing"),
            Self::Open(error) => error.fmt(f),
        }
    }
}

impl<E: Error> Error for TryAcquireError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed => None,
            Self::Open(error) => error.source(),
        }
    }
}

/// Tells an opening of [`acquire_with`](ReaperHandle::acquire_with) that its caller is gone.
///
/// As a future, it is ready once the caller was dropped. It stays pending if the opening has ended before
/// that. It can be awaited by reference, for example in a `select!` inside a loop.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited: without this, the opening continues after a cancellation"]
pub struct Abandoned {
    /// `None` once it was ready.
    caller: Option<oneshot::Receiver<Opened>>,
    is_abandoned: bool,
}

/// Closes the [`Abandoned`] that belongs to it when it is dropped.
pub(super) struct Caller(oneshot::Sender<Opened>);

/// The opening has ended before its caller was dropped.
#[derive(Debug)]
struct Opened;

impl Abandoned {
    pub(super) fn new() -> (Caller, Self) {
        let (sender, receiver) = oneshot::channel();
        (Caller(sender), Self { caller: Some(receiver), is_abandoned: false })
    }

    /// Returns whether the caller is gone.
    pub fn is_abandoned(&mut self) -> bool {
        if let Some(caller) = &mut self.caller {
            match caller.try_recv() {
                Ok(None) => {}
                Ok(Some(Opened)) => self.caller = None,
                Err(oneshot::Canceled) => (self.caller, self.is_abandoned) = (None, true),
            }
        }
        self.is_abandoned
    }
}

impl Future for Abandoned {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(caller) = &mut self.caller {
            match Pin::new(caller).poll(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(Opened)) => self.caller = None,
                Poll::Ready(Err(oneshot::Canceled)) => {
                    (self.caller, self.is_abandoned) = (None, true);
                }
            }
        }
        if self.is_abandoned { Poll::Ready(()) } else { Poll::Pending }
    }
}
