//! `Checked`: the guard knows at run time whether its value was cleaned up.

use std::task::{Context, Poll};

use super::bomb::{DropBomb, Origin, Phase};
use super::cleanup::Owes;
use super::slot::Slot;
use crate::AsyncDrop;
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

impl<T: AsyncDrop> Owes<T> for CheckedSlot<T> {
    #[inline]
    fn new(origin: Origin<T>, value: T, _: Option<Registration>) -> Self {
        Self::Owed { bomb: DropBomb { phase: Phase::Armed, origin }, value }
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
            *self = Self::Done { origin: *origin };
        }
    }

    fn poll_kept(&mut self, _: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        Poll::Ready(Ok(()))
    }
}
