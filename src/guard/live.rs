//! `Live`: the type says that the cleanup is owed, and only `async_drop` changes the type.

use std::panic::resume_unwind;

use super::AsyncDropGuard;
use super::checked::CheckedSlot;
use super::origin::Origin;
use super::slot::Slot;
use crate::hook::{self, Cause};
use crate::panic::catch;
use crate::state::Brand;
use crate::{AsyncDrop, Outcome};

/// What a `Live` guard stores: as large as the value in a build that keeps no creation sites.
///
/// The bomb comes first: a forgotten guard is reported before the guards inside its value.
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub struct LiveSlot<T> {
    bomb: ForgottenBomb<T>,
    value: T,
}

impl<T> LiveSlot<T> {
    #[inline]
    pub(super) fn new(origin: Origin<T>, value: T) -> Self {
        Self { bomb: ForgottenBomb(origin), value }
    }
}

/// The slot of a `Live` guard: its cleanup consumes it.
pub trait CleansByValue<T: AsyncDrop>: Slot<T> {
    /// Cleans up the value, drops it, and returns the proof beside the result.
    fn clean_by_value<B: Brand>(self) -> impl Future<Output = Outcome<T, B>>;
}

impl<T: AsyncDrop> CleansByValue<T> for LiveSlot<T> {
    /// Separate from `clean`: this future owns the value, so it needs no phase and no slot.
    ///
    /// With a drop flag, rustc would copy the whole future when it is created (`benches/instructions.sh`
    /// counts it). So nothing that can panic stands between creating a local and moving it. If the
    /// value's `Drop` panics, the result is lost.
    #[inline]
    fn clean_by_value<B: Brand>(self) -> impl Future<Output = Outcome<T, B>> {
        let LiveSlot { bomb, mut value } = self;
        async move {
            let ended = {
                // Defuse the bomb first: if the next call panics, the cleanup was attempted, and must
                // not be reported as forgotten.
                let origin = bomb.defuse();
                let cleanup = value.async_drop_unboxed();
                let bomb = CancelledBomb(origin);
                let result = catch(cleanup).await;
                (bomb, result)
            };
            let result = defuse(ended).unwrap_or_else(|payload| resume_unwind(payload));
            Outcome { proof: AsyncDropGuard { slot: () }, result }
        }
    }
}

/// Takes both at once, so that neither needs a drop flag.
#[inline]
fn defuse<T, R>((bomb, result): (CancelledBomb<T>, R)) -> R {
    std::mem::forget(bomb);
    result
}

/// Reports the value as forgotten when it is dropped. The slot holds it, and the future until its first poll.
struct ForgottenBomb<T>(Origin<T>);

impl<T> ForgottenBomb<T> {
    #[inline]
    fn defuse(self) -> Origin<T> {
        let origin = self.0;
        std::mem::forget(self);
        origin
    }
}

impl<T> Drop for ForgottenBomb<T> {
    fn drop(&mut self) {
        hook::report_lost(self.0, Cause::Forgotten);
    }
}

/// Reports the value as cancelled when it is dropped. The future of `async_drop` or `async_drop_via` holds it
/// until the cleanup has ended.
pub(super) struct CancelledBomb<T>(pub(super) Origin<T>);

impl<T> Drop for CancelledBomb<T> {
    fn drop(&mut self) {
        hook::report_lost(self.0, Cause::CancelledInCleanup);
    }
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
        self.bomb.0
    }

    fn take(self) -> Result<(Origin<T>, T), Origin<T>> {
        let LiveSlot { bomb, value } = self;
        Ok((bomb.defuse(), value))
    }

    #[inline]
    fn into_owned(self) -> CheckedSlot<T> {
        let LiveSlot { bomb, value } = self;
        CheckedSlot::owing(bomb.defuse(), value)
    }

    #[inline]
    fn from_owned(owned: CheckedSlot<T>) -> Option<Self> {
        let (origin, value) = owned.take().ok()?;
        Some(Self::new(origin, value))
    }
}
