//! `Checked`: whether the value was cleaned up is known at run time.

use std::pin::pin;

use crate::bomb::{Bomb, Fuse, Origin};
use crate::guard::LiveSlot;
use crate::{Armed, ArmsLike, AsyncDrop, AsyncDropGuard, Checked, Cleans, Holds, Lends, Remembers};

/// What a `Checked` guard stores: the value, and a word beside it, of which the variant is part.
#[expect(missing_debug_implementations, reason = "cannot be named outside of the crate")]
pub enum CheckedSlot<T> {
    /// The cleanup is owed. The fuse comes first: it is what reports a forgotten guard, before
    /// the guards inside of the value, which are dragged along.
    Armed { fuse: Fuse<T>, value: T },
    /// The cleanup has ended.
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

    fn done(&mut self) {
        let origin = match self {
            CheckedSlot::Armed { fuse, .. } => fuse.origin(),
            CheckedSlot::Done { .. } => return,
        };
        *self = CheckedSlot::Done { origin };
    }
}

impl<T: AsyncDrop> CheckedSlot<T> {
    #[inline]
    pub(super) fn clean(&mut self) -> impl Future<Output = Result<(), T::Error>> + use<'_, T> {
        async move {
            let ending = EndsWhenBurnt(self);
            let CheckedSlot::Armed { fuse, value } = &mut *ending.0 else {
                return Ok(());
            };
            fuse.begin();
            let mut cleanup = pin!(value.async_drop_unboxed());
            std::future::poll_fn(move |cx| fuse.poll(cleanup.as_mut(), cx)).await
        }
    }
}

/// Drops the value as soon as its cleanup has ended, with a result or with a panic, and leaves
/// it where it is if the cleanup was cancelled.
struct EndsWhenBurnt<'a, T>(&'a mut CheckedSlot<T>);

impl<T> Drop for EndsWhenBurnt<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let CheckedSlot::Armed { fuse, .. } = &*self.0
            && fuse.is_burnt()
        {
            self.0.done();
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
    ) -> impl Future<Output = Result<(), T::Error>> + Send + use<'_, T> {
        async move {
            let ending = EmptiesWhenBurnt(held);
            let Some(AsyncDropGuard { slot: CheckedSlot::Armed { fuse, value } }) = &mut *ending.0
            else {
                return Ok(());
            };
            fuse.begin();
            let mut cleanup = pin!(value.async_drop_unboxed());
            std::future::poll_fn(move |cx| fuse.poll(cleanup.as_mut(), cx)).await
        }
    }
}

/// Drops the guard if its cleanup has ended.
struct EmptiesWhenBurnt<'a, T>(&'a mut Option<AsyncDropGuard<T>>);

impl<T> Drop for EmptiesWhenBurnt<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(AsyncDropGuard { slot: CheckedSlot::Armed { fuse, .. } }) = &*self.0
            && !fuse.is_burnt()
        {
            return;
        }
        *self.0 = None;
    }
}

impl<T: AsyncDrop + Send> Remembers<T> for Checked {
    #[inline]
    fn clean(
        slot: &mut CheckedSlot<T>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + use<'_, T> {
        slot.clean()
    }
}
