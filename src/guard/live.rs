//! `Live`: the type says that the cleanup is owed, and only `async_drop` changes the type.

use std::panic::resume_unwind;

use super::AsyncDropGuard;
use super::bomb::{Begun, DropBomb, NotBegun, Origin, Phase};
use super::checked::CheckedSlot;
use super::slot::Slot;
use crate::panic::catch;
use crate::state::Brand;
use crate::{AsyncDrop, Outcome};

/// What a `Live` guard stores: as large as the value in a build that keeps no creation sites.
///
/// The bomb comes first: a forgotten guard is reported before the guards inside its value.
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub struct LiveSlot<T> {
    bomb: DropBomb<T, NotBegun>,
    value: T,
}

impl<T> LiveSlot<T> {
    #[inline]
    pub(super) fn new(origin: Origin<T>, value: T) -> Self {
        Self { bomb: DropBomb { phase: NotBegun, origin }, value }
    }
}

impl<T: AsyncDrop> LiveSlot<T> {
    /// Not `clean`: this is the zero-cost promise, and the future holds the value itself.
    ///
    /// The future keeps no flags of what was moved. For each flag rustc lays the future out so that
    /// all of it is copied when it is made, which costs 10 instructions
    /// (`benches/README.md`). There is no flag because nothing can unwind between the place where
    /// something is made, or was awaited, and the place where it moves on: the parts are destructured
    /// before the block, the bomb and the result leave the inner block as one tuple, and the value is
    /// dropped where it lies. If the value panics there, the result is lost.
    #[inline]
    pub(super) fn async_drop<B: Brand>(self) -> impl Future<Output = Outcome<T, B>> {
        let LiveSlot { bomb, mut value } = self;
        async move {
            let ended = {
                // Nothing is armed while the future is made. If that panics, it was the attempt.
                let origin = bomb.defuse();
                let cleanup = value.async_drop_unboxed();
                let bomb = DropBomb { phase: Begun, origin };
                let result = catch(cleanup).await;
                (bomb, result)
            };
            let result = defuse(ended).unwrap_or_else(|payload| resume_unwind(payload));
            Outcome { proof: AsyncDropGuard { slot: () }, result }
        }
    }
}

#[inline]
fn defuse<T, R>((bomb, result): (DropBomb<T, Begun>, R)) -> R {
    bomb.defuse();
    result
}

impl<T> Slot<T> for LiveSlot<T> {
    type Owned = CheckedSlot<T>;

    #[inline]
    fn get(&self) -> Option<&T> {
        Some(&self.value)
    }

    #[inline]
    fn get_mut(&mut self) -> Option<&mut T> {
        Some(&mut self.value)
    }

    fn origin(&self) -> Origin<T> {
        self.bomb.origin
    }

    fn take(self) -> Result<(Origin<T>, T), Origin<T>> {
        let LiveSlot { bomb, value } = self;
        Ok((bomb.defuse(), value))
    }

    #[inline]
    fn into_owned(self) -> CheckedSlot<T> {
        let LiveSlot { bomb, value } = self;
        let bomb = DropBomb { phase: Phase::Armed, origin: bomb.defuse() };
        CheckedSlot::Owed { bomb, value }
    }

    #[inline]
    fn from_owned(owned: CheckedSlot<T>) -> Option<Self> {
        let (origin, value) = owned.take().ok()?;
        Some(Self::new(origin, value))
    }
}
