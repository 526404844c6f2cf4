//! `Checked`: the guard knows at run time whether its value was cleaned up.

use std::task::{Context, Poll};

use super::cleanup::{Arms, Owes, drop_after_panic};
use super::origin::Origin;
use super::slot::Slot;
use crate::AsyncDrop;
use crate::hook::{self, Cause};
use crate::reaper::Registration;

/// What a `Checked` guard stores.
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub enum CheckedSlot<T> {
    /// The cleanup is owed. The bomb comes first: a forgotten guard is reported before the guards
    /// inside its value.
    Owed { bomb: DropBomb<T>, value: T },
    /// The cleanup has ended, and the value is gone.
    Done { origin: Origin<T> },
}

/// Reports the value beside it as lost when it is dropped, unless the cleanup has ended.
///
/// It is a field beside the value, so that the guard needs no `Drop` and the value can be moved out of it.
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub struct DropBomb<T> {
    phase: Phase,
    origin: Origin<T>,
}

impl<T> DropBomb<T> {
    fn defuse(self) -> Origin<T> {
        let origin = self.origin;
        std::mem::forget(self);
        origin
    }
}

impl<T> Drop for DropBomb<T> {
    #[inline]
    fn drop(&mut self) {
        let cause = match self.phase {
            Phase::Armed => Cause::Forgotten,
            Phase::Borrowed => Cause::CancelledInBody,
            Phase::CleaningUp => Cause::CancelledInCleanup,
            Phase::Finished => return,
        };
        hook::report_lost(self.origin, cause);
    }
}

/// How far the cleanup of a guard has come that is checked at run time.
///
/// `usize`-sized, so that the slot's discriminant uses its niche.
#[derive(Clone, Copy)]
#[repr(usize)]
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub enum Phase {
    /// The cleanup has not begun.
    Armed,
    /// The library owns the guard while a body borrows the value.
    Borrowed,
    /// The cleanup has begun and has not ended: it is pending, or was cancelled.
    CleaningUp,
    /// The cleanup is being polled, or has ended. If the poll panics, it has ended. The slot is `Done`
    /// before `clean` returns.
    Finished,
}

impl<T> CheckedSlot<T> {
    #[inline]
    pub(super) fn owing(origin: Origin<T>, value: T) -> Self {
        Self::Owed { bomb: DropBomb { phase: Phase::Armed, origin }, value }
    }
}

impl<T> Slot<T> for CheckedSlot<T> {
    type Owned = Self;

    #[inline]
    fn get(&self) -> Option<&T> {
        match self {
            Self::Owed { value, .. } => Some(value),
            Self::Done { .. } => None,
        }
    }

    #[inline]
    fn get_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Owed { value, .. } => Some(value),
            Self::Done { .. } => None,
        }
    }

    fn origin(&self) -> Origin<T> {
        match self {
            Self::Owed { bomb, .. } => bomb.origin,
            Self::Done { origin } => *origin,
        }
    }

    fn take(self) -> Result<(Origin<T>, T), Origin<T>> {
        match self {
            Self::Owed { bomb, value } => Ok((bomb.defuse(), value)),
            Self::Done { origin } => Err(origin),
        }
    }

    fn into_owned(self) -> Self {
        self
    }

    fn from_owned(owned: Self) -> Option<Self> {
        Some(owned)
    }
}

impl<T: AsyncDrop> Arms<T> for CheckedSlot<T> {
    #[inline]
    fn new(origin: Origin<T>, value: T, _: Option<Registration>) -> Self {
        Self::wrapper(origin, value, None)
    }
}

impl<T: AsyncDrop> Owes<T> for CheckedSlot<T> {
    #[inline]
    fn wrapper(origin: Origin<T>, value: T, _: Option<Registration>) -> Self {
        Self::owing(origin, value)
    }

    #[inline]
    fn owed(&mut self) -> Option<(&mut Phase, &mut T)> {
        match self {
            Self::Owed { bomb, value } => Some((&mut bomb.phase, value)),
            Self::Done { .. } => None,
        }
    }

    #[inline]
    fn settle(&mut self) {
        if let Self::Owed { bomb: DropBomb { phase: Phase::Finished, origin }, .. } = self {
            let done = Self::Done { origin: *origin };
            if std::mem::needs_drop::<T>() && std::thread::panicking() {
                drop_after_panic::<T>(std::mem::replace(self, done));
            } else {
                *self = done;
            }
        }
    }

    fn poll_kept(&mut self, _: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        Poll::Ready(Ok(()))
    }
}
