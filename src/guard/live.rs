//! `Live`: the type says that the cleanup is owed, and only `async_drop` changes the type.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

use super::AsyncDropGuard;
use crate::bomb::{Bomb, LitBomb, Origin};
use crate::caught::resume_with;
use crate::cleaned::end_with;
use crate::guard::CheckedSlot;
use crate::state::Brand;
use crate::{Armed, ArmsLike, AsyncDrop, Checked, Cleans, Holds, Lends, Live, Outcome};

/// What a `Live` guard stores: as large as the value in a build that keeps no creation sites.
/// The bomb comes first: it is what reports a forgotten guard, before the guards inside of the
/// value, which are dragged along.
#[expect(missing_debug_implementations, reason = "cannot be named outside of the crate")]
pub struct LiveSlot<T> {
    pub(crate) bomb: Bomb<T>,
    pub(crate) value: T,
}

impl<T: AsyncDrop> LiveSlot<T> {
    #[inline]
    pub(super) fn clean<B: Brand>(self) -> impl Future<Output = Outcome<T, B>> {
        // Captured apart, neither moves again: the future holds the value once.
        let LiveSlot { bomb, mut value } = self;
        async move {
            // Nothing in this block can unwind between where something is made, or has been awaited,
            // and where it moves on: what is left leaves the block in one piece, and `LitBomb` is
            // no call. Else the future would keep flags of what has moved, and with them a layout of
            // which all is copied when it is made (`benches/README.md`).
            let ended = {
                // Nothing is armed while the future is made: if that panics, it was the attempt.
                let origin = bomb.defuse();
                let cleanup = value.async_drop_unboxed();
                let lit = LitBomb(origin);
                let result = AssertUnwindSafe(cleanup).catch_unwind().await;
                (lit, result)
            };
            let result = LitBomb::put_out(ended).unwrap_or_else(|payload| resume_unwind(payload));
            // Not `end_with`: a value that moves in here has its flag in the future. So it is dropped
            // where it lies, and if it panics, the result goes with it.
            Outcome { proof: AsyncDropGuard { slot: () }, result }
        }
    }
}

impl<B: Brand> Holds for Live<B> {
    #[inline]
    fn value<T>(slot: &LiveSlot<T>) -> Result<&T, Origin<T>> {
        Ok(&slot.value)
    }

    #[inline]
    fn value_mut<T>(slot: &mut LiveSlot<T>) -> Result<&mut T, Origin<T>> {
        Ok(&mut slot.value)
    }

    fn into_value<T>(slot: LiveSlot<T>) -> Result<(Origin<T>, T), Origin<T>> {
        let LiveSlot { bomb, value } = slot;
        Ok((bomb.defuse(), value))
    }
}

impl Armed for Live {
    #[inline]
    fn arm<T>(origin: Origin<T>, value: T) -> LiveSlot<T> {
        LiveSlot { bomb: Bomb::new(origin), value }
    }

    #[inline]
    fn into_checked<T>(slot: LiveSlot<T>) -> CheckedSlot<T> {
        CheckedSlot::Armed { fuse: slot.bomb.into_fuse(), value: slot.value }
    }
}

impl<U, B: Brand> ArmsLike<U> for Live<B> {
    type Model = ();

    fn model<T>(_: &LiveSlot<T>) {}

    #[inline]
    fn arm_like((): (), origin: Origin<U>, value: U) -> LiveSlot<U> {
        Live::arm(origin, value)
    }
}

impl<T: AsyncDrop + Send> Lends<T> for Live {
    type Owned = Checked;

    #[inline]
    fn lend(slot: LiveSlot<T>) -> CheckedSlot<T> {
        Checked::lend(Live::into_checked(slot))
    }
}

impl<T: AsyncDrop + Send, B: Brand> Cleans<T> for Live<B> {
    #[inline]
    fn clean_in_place(
        held: &mut Option<AsyncDropGuard<T, Self>>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send {
        async move {
            let Some(guard) = held else {
                return Ok(());
            };
            let value = &mut guard.slot.value;
            let cleanup = async { value.async_drop_unboxed().await };
            match AssertUnwindSafe(cleanup).catch_unwind().await {
                Ok(result) => end_with::<T>(result, || end(held)),
                Err(payload) => resume_with(payload, || end(held)),
            }
        }
    }
}

/// Nothing is owed any more, and the guard goes with its value.
#[inline]
fn end<T, B: Brand>(held: &mut Option<AsyncDropGuard<T, Live<B>>>) {
    if let Some(guard) = held.take() {
        guard.slot.bomb.defuse();
    }
}
