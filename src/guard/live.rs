//! `Live`: the type says that the cleanup is owed, and only `async_drop` changes the type.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use super::AsyncDropGuard;
use crate::bomb::{Bomb, Burning, Origin};
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
            let origin = bomb.defuse();
            let result = Burning::new(origin, pin!(value.async_drop_unboxed())).await;
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
    ) -> impl Future<Output = Result<(), T::Error>> + Send + use<'_, T, B> {
        async move {
            let mut ending = EmptiesWhenPolled { held, in_poll: true };
            let EmptiesWhenPolled { held, in_poll } = &mut ending;
            let Some(guard) = held else {
                return Ok(());
            };
            let mut cleanup = pin!(guard.slot.value.async_drop_unboxed());
            std::future::poll_fn(move |cx| poll_marked(in_poll, cleanup.as_mut(), cx)).await
        }
    }
}

#[inline]
fn poll_marked<F: Future>(
    in_poll: &mut bool,
    cleanup: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<F::Output> {
    *in_poll = true;
    let poll = cleanup.poll(cx);
    *in_poll = poll.is_ready();
    poll
}

/// Ends the guard if its cleanup was left inside of its `poll`: by a result or by a panic.
struct EmptiesWhenPolled<'a, T, B: Brand> {
    held: &'a mut Option<AsyncDropGuard<T, Live<B>>>,
    in_poll: bool,
}

impl<T, B: Brand> Drop for EmptiesWhenPolled<'_, T, B> {
    fn drop(&mut self) {
        if self.in_poll
            && let Some(guard) = self.held.take()
        {
            guard.slot.bomb.defuse();
        }
    }
}
