//! `Adopted`: a reaper cleans up what the owner does not.

use std::task::{Context, Poll};

use super::bomb::{Origin, Phase};
use super::cleanup::Owes;
use super::slot::Slot;
use crate::hook::Cause;
use crate::reaper::{Adoptable, BoxedError, Cleanup, Registration, Stage, start};
use crate::shim::SyncWrapper;

/// What an `Adopted` guard stores.
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub struct AdoptedSlot<T> {
    content: Content<T>,
    /// Begins the cleanup. It is chosen where `T` is known to be `Adoptable`, so that `Drop` needs no
    /// bound on `T`.
    start: fn(T) -> Cleanup,
    /// `None` if the reaper was closed, and once the cleanup has ended.
    registration: Option<Registration>,
    origin: Origin<T>,
}

enum Content<T> {
    Idle(T),
    /// The cleanup has begun, and owns the value.
    Running(SyncWrapper<Cleanup>),
    /// The cleanup has ended, or is being polled. If that poll panics, it has ended.
    Done,
}

impl<T: Adoptable> AdoptedSlot<T> {
    /// For a value that was cleaned up before.
    pub(crate) fn done(origin: Origin<T>) -> Self {
        Self { content: Content::Done, start: start::<T>, registration: None, origin }
    }
}

impl<T> Slot<T> for AdoptedSlot<T> {
    type Owned = Self;

    const GONE: &'static str = "after its cleanup has begun";

    #[inline]
    fn get(&self) -> Option<&T> {
        match &self.content {
            Content::Idle(value) => Some(value),
            Content::Running(_) | Content::Done => None,
        }
    }

    #[inline]
    fn get_mut(&mut self) -> Option<&mut T> {
        match &mut self.content {
            Content::Idle(value) => Some(value),
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
        match std::mem::replace(&mut self.content, Content::Done) {
            Content::Idle(value) => Ok((self.origin, value)),
            begun => {
                self.content = begun;
                Err(self.origin)
            }
        }
    }

    fn registration(&self) -> Option<&Registration> {
        self.registration.as_ref()
    }

    fn into_owned(self) -> Self {
        self
    }

    fn from_owned(owned: Self) -> Option<Self> {
        Some(owned)
    }
}

impl<T: Adoptable> Owes<T> for AdoptedSlot<T> {
    fn new(origin: Origin<T>, value: T, registration: Option<Registration>) -> Self {
        Self { content: Content::Idle(value), start: start::<T>, registration, origin }
    }

    /// Nothing: the cleanup is kept in the slot, so that the reaper can resume it.
    fn owed(&mut self) -> Option<(&mut Phase, &mut T)> {
        None
    }

    fn settle(&mut self) {}

    fn poll_kept(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        // Both are out of the slot during the poll. If it panics, nothing is left that could be
        // polled again, and the reaper does not wait for it.
        let registration = self.registration.take();
        let mut cleanup = match std::mem::replace(&mut self.content, Content::Done) {
            Content::Idle(value) => {
                if let Some(registration) = &registration {
                    registration.update(|entry| entry.stage = Stage::Cleaning);
                }
                (self.start)(value)
            }
            Content::Running(cleanup) => cleanup.into_inner(),
            Content::Done => return Poll::Ready(Ok(())),
        };
        let poll = cleanup.as_mut().poll(cx);
        if poll.is_pending() {
            self.content = Content::Running(SyncWrapper::new(cleanup));
            self.registration = registration;
        }
        poll.map_err(BoxedError::downcast)
    }
}

impl<T> Drop for AdoptedSlot<T> {
    fn drop(&mut self) {
        let registration = self.registration.take();
        let (cleanup, cause) = match std::mem::replace(&mut self.content, Content::Done) {
            Content::Done => return,
            Content::Running(cleanup) => (cleanup.into_inner(), Cause::CancelledInCleanup),
            Content::Idle(value) if registration.is_some() => {
                ((self.start)(value), Cause::Forgotten)
            }
            Content::Idle(value) => {
                // Reported before the guards inside the value, as every guard is.
                let _value = value;
                return self.origin.report_lost(Cause::Forgotten);
            }
        };
        let refused = match registration {
            Some(registration) => registration.orphan(cleanup).err(),
            None => Some(cleanup),
        };
        if let Some(_cleanup) = refused {
            self.origin.report_lost(cause);
        }
    }
}
