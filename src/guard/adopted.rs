//! `Adopted`: a reaper cleans up what the owner does not.

use std::task::{Context, Poll};

use super::AsyncDropGuard;
use super::checked::Phase;
use super::cleanup::{Arms, CleanupResult, Owes, clean};
use super::live::CleansByValue;
use super::origin::Origin;
use super::slot::Slot;
use crate::hook::Cause;
use crate::reaper::{Adoptable, Cleanup, Registration, Stage, start};
use crate::shim::SyncWrapper;
use crate::state::{Armed, Brand};
use crate::{Adopted, AsyncDrop, Outcome};

/// What an `Adopted` guard stores, and a `Live` one that is backed by a reaper.
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub struct AdoptedSlot<T> {
    content: Content<T>,
    /// `None` if the reaper was closed, and once the cleanup has ended. A wrapper of one guard borrows the
    /// registration of that guard.
    registration: Option<Registration>,
    origin: Origin<T>,
}

enum Content<T> {
    Idle {
        value: T,
        /// Begins the cleanup. It is chosen where `T` is known to be `Adoptable`, so that `Drop` needs
        /// no bound on `T`.
        start: fn(T) -> Cleanup,
    },
    /// The cleanup has begun, and owns the value.
    Running(SyncWrapper<Cleanup>),
    /// A helper around adopted guards, such as a lock. It is cleaned up in place and needs no
    /// registration: if it is dropped, the guards inside go to their reaper.
    Wrapper { value: T, phase: Phase },
    /// The cleanup has ended, or is being polled. If that poll panics, it has ended.
    Done,
}

impl<T: Adoptable> Arms<T> for AdoptedSlot<T> {
    fn new(origin: Origin<T>, value: T, registration: Option<Registration>) -> Self {
        Self { content: Content::Idle { value, start: start::<T> }, registration, origin }
    }
}

impl<T: Adoptable> AdoptedSlot<T> {
    /// Takes over the value of `guard`. If that was cleaned up before, nothing is owed.
    pub(crate) fn adopt<S: Armed>(
        guard: AsyncDropGuard<T, S>,
        registration: Option<Registration>,
    ) -> AsyncDropGuard<T, Adopted> {
        let slot = match guard.slot.take() {
            Ok((origin, value)) => Self::new(origin, value, registration),
            Err(origin) => Self { content: Content::Done, registration: None, origin },
        };
        AsyncDropGuard { slot }
    }
}

impl<T> AdoptedSlot<T> {
    pub(super) fn has_begun(&self) -> bool {
        match self.content {
            Content::Idle { .. } => false,
            Content::Wrapper { phase, .. } => matches!(phase, Phase::CleaningUp),
            Content::Running(_) | Content::Done => true,
        }
    }

    pub(super) fn is_wrapper(&self) -> bool {
        matches!(self.content, Content::Wrapper { .. })
    }

    fn take_content(&mut self) -> Content<T> {
        std::mem::replace(&mut self.content, Content::Done)
    }
}

impl<T> Slot<T> for AdoptedSlot<T> {
    type Owned = Self;

    const GONE: &'static str = "after its cleanup has begun";
    const BACKED: bool = true;

    #[inline]
    fn get(&self) -> Option<&T> {
        match &self.content {
            Content::Idle { value, .. } | Content::Wrapper { value, .. } => Some(value),
            Content::Running(_) | Content::Done => None,
        }
    }

    #[inline]
    fn get_mut(&mut self) -> Option<&mut T> {
        match &mut self.content {
            Content::Idle { value, .. } | Content::Wrapper { value, .. } => Some(value),
            Content::Running(_) | Content::Done => None,
        }
    }

    fn origin(&self) -> Origin<T> {
        self.origin
    }

    fn is_done(&self) -> bool {
        matches!(self.content, Content::Done)
    }

    fn take(mut self) -> Result<(Origin<T>, T), Origin<T>> {
        match self.take_content() {
            Content::Idle { value, .. } | Content::Wrapper { value, .. } => {
                // This may wake a waker that panics. `value` is a local then, and is dropped.
                drop(self.registration.take());
                Ok((self.origin, value))
            }
            begun => {
                self.content = begun;
                Err(self.origin)
            }
        }
    }

    fn entry(&self) -> Option<&Registration> {
        self.registration.as_ref()
    }

    fn take_registration(&mut self) -> Option<Registration> {
        self.registration.take()
    }

    fn into_owned(self) -> Self {
        self
    }

    fn from_owned(owned: Self) -> Option<Self> {
        Some(owned)
    }
}

impl<T: AsyncDrop<Error: 'static>> Owes<T> for AdoptedSlot<T> {
    fn wrapper(origin: Origin<T>, value: T, registration: Option<Registration>) -> Self {
        Self { content: Content::Wrapper { value, phase: Phase::Armed }, registration, origin }
    }

    fn owed(&mut self) -> Option<(&mut Phase, &mut T)> {
        match &mut self.content {
            Content::Wrapper { value, phase } => Some((phase, value)),
            // Kept in the slot, so that the reaper can resume it.
            Content::Idle { .. } | Content::Running(_) | Content::Done => None,
        }
    }

    fn settle(&mut self) {
        if let Content::Wrapper { phase: Phase::Finished, .. } = self.content {
            self.content = Content::Done;
        }
    }

    fn poll_kept(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        // Both are out of the slot during the poll. If it panics, nothing is left that could be
        // polled again, and the reaper does not wait for it.
        let registration = self.registration.take();
        let mut cleanup = match self.take_content() {
            Content::Idle { value, start } => {
                if let Some(registration) = &registration {
                    registration.set_stage(Stage::Cleaning);
                }
                start(value)
            }
            Content::Running(cleanup) => cleanup.into_inner(),
            Content::Wrapper { .. } | Content::Done => return Poll::Ready(Ok(())),
        };
        let poll = cleanup.as_mut().poll(cx);
        match poll {
            Poll::Pending => {
                self.content = Content::Running(SyncWrapper::new(cleanup));
                self.registration = registration;
                Poll::Pending
            }
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => {
                // The end of the registration may wake a waker that panics. This reports the error then.
                let result = CleanupResult::<T>::new(Err(error.downcast()));
                drop(registration);
                Poll::Ready(result.into_result())
            }
        }
    }
}

impl<T: AsyncDrop<Error: 'static>> CleansByValue<T> for AdoptedSlot<T> {
    fn clean_by_value<B: Brand>(mut self) -> impl Future<Output = Outcome<T, B>> {
        async move {
            let result = clean(&mut self).await;
            Outcome { proof: AsyncDropGuard { slot: () }, result }
        }
    }
}

impl<T> Drop for AdoptedSlot<T> {
    fn drop(&mut self) {
        let content = self.take_content();
        match (&mut self.registration, content) {
            (_, Content::Done | Content::Wrapper { .. }) => {}
            (Some(registration), Content::Running(cleanup)) => {
                registration.orphan(cleanup.into_inner(), Cause::CancelledInCleanup);
            }
            (Some(registration), Content::Idle { value, start }) => {
                registration.orphan(start(value), Cause::Forgotten);
            }
            // The reaper had been closed. Reported before the guards inside the content are dropped.
            (None, content) => {
                let cause = match content {
                    Content::Running(_) => Cause::CancelledInCleanup,
                    _ => Cause::Forgotten,
                };
                self.origin.report_without_reaper(cause);
            }
        }
    }
}
