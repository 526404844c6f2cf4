//! `Checked`: whether the value was cleaned up is known at run time.

use std::pin::pin;

use super::AsyncDropGuard;
use crate::bomb::{Bomb, Fuse, Origin};
use crate::guard::LiveSlot;
use crate::{Armed, ArmsLike, AsyncDrop, Checked, Cleans, Dropped, Holds, Lends, Live};

/// What a `Checked` guard stores. The phase in the fuse leaves room for the variant, so that
/// this is at most a word larger than an `Option` of the value.
#[expect(missing_debug_implementations, reason = "cannot be named outside of the crate")]
pub enum CheckedSlot<T> {
    /// The cleanup is owed. The fuse comes first: it is what reports a forgotten guard, before
    /// the guards inside of the value, which are dragged along.
    Armed { fuse: Fuse<T>, value: T },
    /// The cleanup has ended.
    Done { origin: Origin<T> },
}

impl<T> CheckedSlot<T> {
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
    fn clean(&mut self) -> impl Future<Output = Result<(), T::Error>> + use<'_, T> {
        async move {
            let ending = EndsWhenBurnt(self);
            let CheckedSlot::Armed { fuse, value } = &mut *ending.0 else {
                return Ok(());
            };
            fuse.begin();
            let mut cleanup = pin!(value.async_drop_unboxed());
            std::future::poll_fn(|cx| fuse.poll(cleanup.as_mut(), cx)).await
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

impl<T: AsyncDrop> AsyncDropGuard<T, Checked> {
    /// Guards `value`, checked at run time.
    ///
    /// # Examples
    ///
    /// ```
    /// # use livedrop::{AsyncDropGuard};
    /// # use std::convert::Infallible;
    /// # struct Job;
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for Job {
    /// #     type Error = Infallible;
    /// #     async fn async_drop_impl(&mut self) -> Result<(), Infallible> { Ok(()) }
    /// # }
    /// # futures::executor::block_on(async {
    /// let mut job = AsyncDropGuard::new(Job);
    /// job.async_drop().await?;
    /// assert!(job.is_dropped());
    /// # Ok::<(), Infallible>(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self { slot: Checked::arm(Origin::here(), value) }
    }

    /// Cleans the value up, and drops it.
    ///
    /// Called again after it has completed, it does nothing and returns `Ok(())`.
    ///
    /// # Errors
    ///
    /// The error of the cleanup. It counts as attempted: the value is dropped all the same.
    ///
    /// # Panics
    ///
    /// If the cleanup panics. It counts as attempted then, too.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future is dropped before it is ready, the guard still holds the
    /// value and is still armed. Call it again; the cleanup then begins at its start, see
    /// [`AsyncDrop`](AsyncDrop#cancel-safety).
    #[must_use = "futures do nothing unless awaited: nothing is cleaned up until this is"]
    #[inline]
    pub fn async_drop(&mut self) -> impl Future<Output = Result<(), T::Error>> + use<'_, T> {
        self.slot.clean()
    }

    /// Leaves the checking to the compiler from here on.
    ///
    /// # Errors
    ///
    /// If the value was cleaned up before, the proof of that comes back.
    pub fn into_live(guard: Self) -> Result<AsyncDropGuard<T, Live>, AsyncDropGuard<T, Dropped>> {
        match guard.slot {
            CheckedSlot::Armed { fuse, value } => {
                let bomb = Bomb::new(fuse.defuse());
                Ok(AsyncDropGuard { slot: LiveSlot { bomb, value } })
            }
            CheckedSlot::Done { .. } => Err(AsyncDropGuard { slot: () }),
        }
    }
}

impl<T> AsyncDropGuard<T, Checked> {
    /// Whether the cleanup has ended: with a result, or with a panic.
    pub fn is_dropped(&self) -> bool {
        matches!(self.slot, CheckedSlot::Done { .. })
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

    fn into_value<T>(slot: CheckedSlot<T>) -> Result<T, Origin<T>> {
        match slot {
            CheckedSlot::Armed { fuse, value } => {
                fuse.defuse();
                Ok(value)
            }
            CheckedSlot::Done { origin } => Err(origin),
        }
    }
}

impl Armed for Checked {
    #[inline]
    fn arm<T>(origin: Origin<T>, value: T) -> CheckedSlot<T> {
        CheckedSlot::Armed { fuse: Fuse::new(origin), value }
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
    fn clean(
        slot: &mut CheckedSlot<T>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + use<'_, T> {
        slot.clean()
    }

    #[inline]
    fn discard(mut slot: CheckedSlot<T>) {
        slot.done();
    }
}
