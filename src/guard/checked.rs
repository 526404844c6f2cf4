//! `Checked`: whether the value was cleaned up is known at run time.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::bomb::{Bomb, Fuse, Origin};
use crate::caught::resume_with;
use crate::cleaned::end_with;
use crate::guard::LiveSlot;
use crate::{
    Armed, ArmsLike, AsyncDrop, AsyncDropGuard, Checked, Cleaned, Cleans, Holds, Lends, Remembers,
};

/// What a `Checked` guard stores: the value, and a word beside it, of which the variant is part.
#[expect(missing_debug_implementations, reason = "cannot be named outside of the crate")]
pub enum CheckedSlot<T> {
    /// The cleanup is owed, unless the fuse is burnt. It comes first: it is what reports a
    /// forgotten guard, before the guards inside of the value, which are dragged along.
    Armed { fuse: Fuse<T>, value: T },
    /// The cleanup has ended, and the value is gone.
    Done { origin: Origin<T> },
}

impl<T> CheckedSlot<T> {
    pub(super) fn is_done(&self) -> bool {
        matches!(self, CheckedSlot::Done { .. })
    }

    pub(super) fn into_live(self) -> Option<LiveSlot<T>> {
        match self {
            CheckedSlot::Armed { fuse, value } => {
                Some(LiveSlot { bomb: Bomb::new(fuse.defuse()), value })
            }
            CheckedSlot::Done { .. } => None,
        }
    }

    /// Nothing is owed any more, and the value goes.
    #[inline]
    fn end(&mut self) {
        let origin = match self {
            CheckedSlot::Armed { fuse, .. } => fuse.origin(),
            CheckedSlot::Done { origin } => *origin,
        };
        // Moved out, and not dropped in its place, where the drop would look at the fuse once more.
        if let CheckedSlot::Armed { fuse, value } =
            std::mem::replace(self, CheckedSlot::Done { origin })
        {
            fuse.defuse();
            drop(value);
        }
    }
}

// The same once more for each who uses it, here and in `Cleans`, with what it needs at the end: what
// one of them would hand to the others costs more than the whole. The cleanup is caught by value, in
// the one place where it is made and stays, and not behind a pointer.
impl<T: AsyncDrop> CheckedSlot<T> {
    #[inline]
    pub(super) fn clean(&mut self) -> impl Future<Output = Result<(), T::Error>> + use<'_, T> {
        async move {
            let CheckedSlot::Armed { fuse, value } = &mut *self else {
                return Ok(());
            };
            fuse.begin();
            let cleanup = whole(value);
            match AssertUnwindSafe(cleanup).catch_unwind().await {
                Ok(result) => end_with::<T>(result, || self.end()),
                Err(payload) => resume_with(payload, || self.end()),
            }
        }
    }

    /// The same, with its panic as a value.
    #[inline]
    fn clean_caught(&mut self) -> impl Future<Output = Cleaned<T>> + use<'_, T> {
        async move {
            let CheckedSlot::Armed { fuse, value } = &mut *self else {
                return Cleaned::ended(Ok(Ok(())), || ());
            };
            fuse.begin();
            let cleanup = whole(value);
            let result = AssertUnwindSafe(cleanup).catch_unwind().await;
            Cleaned::ended(result, || self.end())
        }
    }
}

impl Holds for Checked {
    #[inline]
    fn value<T>(slot: &CheckedSlot<T>) -> Result<&T, Origin<T>> {
        match slot {
            CheckedSlot::Armed { value, .. } => Ok(value),
            CheckedSlot::Done { origin } => Err(*origin),
        }
    }

    #[inline]
    fn value_mut<T>(slot: &mut CheckedSlot<T>) -> Result<&mut T, Origin<T>> {
        match slot {
            CheckedSlot::Armed { value, .. } => Ok(value),
            CheckedSlot::Done { origin } => Err(*origin),
        }
    }

    fn is_burnt<T>(slot: &CheckedSlot<T>) -> bool {
        matches!(slot, CheckedSlot::Armed { fuse, .. } if fuse.is_burnt())
    }

    fn into_value<T>(slot: CheckedSlot<T>) -> Result<(Origin<T>, T), Origin<T>> {
        match slot {
            CheckedSlot::Armed { fuse, value } => Ok((fuse.defuse(), value)),
            CheckedSlot::Done { origin } => Err(origin),
        }
    }
}

impl Armed for Checked {
    #[inline]
    fn arm<T>(origin: Origin<T>, value: T) -> CheckedSlot<T> {
        CheckedSlot::Armed { fuse: Fuse::new(origin), value }
    }

    #[inline]
    fn into_checked<T>(slot: CheckedSlot<T>) -> CheckedSlot<T> {
        slot
    }
}

impl<U> ArmsLike<U> for Checked {
    type Model = ();

    fn model<T>(_: &CheckedSlot<T>) {}

    #[inline]
    fn arm_like((): (), origin: Origin<U>, value: U) -> CheckedSlot<U> {
        Self::arm(origin, value)
    }
}

impl<T: AsyncDrop + Send> Lends<T> for Checked {
    type Owned = Checked;

    #[inline]
    fn lend(mut slot: CheckedSlot<T>) -> CheckedSlot<T> {
        if let CheckedSlot::Armed { fuse, .. } = &mut slot {
            fuse.lend();
        }
        slot
    }
}

impl<T: AsyncDrop + Send> Cleans<T> for Checked {
    #[inline]
    fn clean_in_place(
        held: &mut Option<AsyncDropGuard<T>>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send {
        async move {
            let Some((fuse, value)) = owed(held) else {
                *held = None;
                return Ok(());
            };
            fuse.begin();
            let cleanup = whole(value);
            match AssertUnwindSafe(cleanup).catch_unwind().await {
                Ok(result) => end_with::<T>(result, || end(held)),
                Err(payload) => resume_with(payload, || end(held)),
            }
        }
    }

    #[inline]
    fn clean_one_of_many(
        held: &mut Option<AsyncDropGuard<T>>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send {
        async move {
            let Some((fuse, value)) = owed(held) else {
                *held = None;
                return Ok(());
            };
            // Should the call panic that makes the future, the fuse burns, and the value stays
            // until all of them have ended.
            let cleanup = fuse.begin_with(|| value.async_drop_unboxed());
            match AssertUnwindSafe(cleanup).catch_unwind().await {
                Ok(result) => end_with::<T>(result, || end(held)),
                Err(payload) => resume_with(payload, || end(held)),
            }
        }
    }
}

/// The cleanup from the call that makes its future to the drop of that, all of which may panic.
#[inline]
fn whole<T: AsyncDrop>(value: &mut T) -> impl Future<Output = Result<(), T::Error>> {
    async { value.async_drop_unboxed().await }
}

#[inline]
fn owed<T>(held: &mut Option<AsyncDropGuard<T>>) -> Option<(&mut Fuse<T>, &mut T)> {
    match held {
        Some(AsyncDropGuard { slot: CheckedSlot::Armed { fuse, value } }) if !fuse.is_burnt() => {
            Some((fuse, value))
        }
        _ => None,
    }
}

/// Nothing is owed any more, and the guard goes with its value.
#[inline]
fn end<T>(held: &mut Option<AsyncDropGuard<T>>) {
    if let Some(AsyncDropGuard { slot: CheckedSlot::Armed { fuse, .. } }) = held {
        fuse.burn();
    }
    *held = None;
}

impl<T: AsyncDrop + Send> Remembers<T> for Checked {
    #[inline]
    fn clean_caught(slot: &mut CheckedSlot<T>) -> impl Future<Output = Cleaned<T>> + Send {
        slot.clean_caught()
    }

    #[inline]
    fn clean_uncaught(
        slot: &mut CheckedSlot<T>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send {
        async move {
            let CheckedSlot::Armed { fuse, value } = slot else {
                return Ok(());
            };
            fuse.begin();
            value.async_drop_unboxed().await
        }
    }

    #[inline]
    fn end(slot: CheckedSlot<T>) {
        if let CheckedSlot::Armed { fuse, value } = slot {
            fuse.defuse();
            drop(value);
        }
    }
}
