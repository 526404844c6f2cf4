//! `Live`: the type says that the cleanup is owed, and only `async_drop` changes the type.

use std::fmt;
use std::pin::pin;

use super::AsyncDropGuard;
use crate::bomb::{Bomb, Fuse, Origin};
use crate::guard::CheckedSlot;
use crate::state::Brand;
use crate::{
    Armed, ArmsLike, AsyncDrop, Checked, Cleans, Dropped, Holds, Lends, Live, Unscoped, caught,
};

/// What a `Live` guard stores: as large as the value in a build that keeps no creation sites.
/// The bomb comes first: it is what reports a forgotten guard, before the guards inside of the
/// value, which are dragged along.
#[expect(missing_debug_implementations, reason = "cannot be named outside of the crate")]
pub struct LiveSlot<T> {
    pub(crate) bomb: Bomb<T>,
    pub(crate) value: T,
}

impl<T: AsyncDrop> AsyncDropGuard<T, Live> {
    /// Guards `value`, checked at compile time.
    ///
    /// # Examples
    ///
    /// ```
    /// # use livedrop::{AsyncDropGuard, Dropped};
    /// # use std::convert::Infallible;
    /// # struct Job;
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for Job {
    /// #     type Error = Infallible;
    /// #     async fn async_drop_impl(&mut self) -> Result<(), Infallible> { Ok(()) }
    /// # }
    /// # futures::executor::block_on(async {
    /// let job = AsyncDropGuard::live(Job);
    /// let outcome = job.async_drop().await;
    /// let proof: AsyncDropGuard<Job, Dropped> = outcome.proof;
    /// # });
    /// ```
    #[track_caller]
    pub fn live(value: T) -> Self {
        Self { slot: Live::arm(Origin::here(), value) }
    }
}

impl<T> AsyncDropGuard<T, Live> {
    /// Checks at run time from here on.
    pub fn into_checked(guard: Self) -> AsyncDropGuard<T> {
        AsyncDropGuard { slot: checked(guard.slot) }
    }
}

impl<T: AsyncDrop, B: Brand> AsyncDropGuard<T, Live<B>> {
    /// Cleans the value up, drops it, and gives the proof.
    ///
    /// The proof is there on failure, too: the cleanup was attempted, and nothing is left to
    /// do. The error stands beside it, in the [`Outcome`].
    ///
    /// # Panics
    ///
    /// If the cleanup panics. The value is dropped then, and there is no proof.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the value is inside of the future, and dropped with it. That is
    /// reported to the [hook](crate::hook), as cancelled if the cleanup had begun and as
    /// forgotten if the future was never polled. Hold a `Checked` guard where that can
    /// happen.
    #[must_use = "futures do nothing unless awaited: the value would be dropped without its cleanup"]
    #[inline]
    pub fn async_drop(self) -> impl Future<Output = Outcome<T, B>> {
        // Captured apart, neither moves again: the future holds the value once.
        let LiveSlot { bomb, mut value } = self.slot;
        async move {
            let mut fuse: Fuse<T> = bomb.into_fuse();
            fuse.begin();
            let result = {
                let mut cleanup = pin!(value.async_drop_unboxed());
                std::future::poll_fn(|cx| fuse.poll(cleanup.as_mut(), cx)).await
            };
            Outcome { proof: AsyncDropGuard { slot: () }, result }
        }
    }
}

/// What came of the cleanup of a [`Live`] guard: always a proof that it was attempted, and its
/// result beside it.
///
/// ```
/// # use livedrop::{AsyncDropGuard, Outcome};
/// # struct Job;
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Job {
/// #     type Error = std::io::Error;
/// #     async fn async_drop_impl(&mut self) -> Result<(), Self::Error> { Ok(()) }
/// # }
/// # async fn f() -> std::io::Result<()> {
/// # let (job, job2, job3) = (AsyncDropGuard::live(Job), AsyncDropGuard::live(Job), AsyncDropGuard::live(Job));
/// let Outcome { proof, result } = job.async_drop().await;  // both
/// job2.async_drop().await.result?;                         // the error only
/// let proof = job3.async_drop().await.into_result()?;      // the proof, if there was no error
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
#[must_use = "the result of the cleanup is lost otherwise: use `.result`, `.into_result()` or `.after(body)`"]
pub struct Outcome<T: AsyncDrop, B: Brand = Unscoped> {
    /// The proof that the guard was cleaned up.
    pub proof: AsyncDropGuard<T, Dropped<B>>,
    /// What the cleanup returned.
    pub result: Result<(), T::Error>,
}

impl<T: AsyncDrop, B: Brand> Outcome<T, B> {
    /// Puts what came before the cleanup first: the shape that the body of a
    /// [`scope`](crate::scope) returns.
    ///
    /// # Errors
    ///
    /// The error of `body`, or else that of the cleanup. If there are both, that of the cleanup
    /// goes to the [hook](crate::hook) as
    /// [`Suppressed`](crate::hook::Unhandled::Suppressed).
    ///
    /// # Examples
    ///
    /// ```
    /// # use livedrop::{AsyncDropGuard, scope};
    /// # use std::io;
    /// # struct Connection;
    /// # impl Connection { async fn query(&mut self, _: &str) -> io::Result<u32> { Ok(1) } }
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for Connection {
    /// #     type Error = io::Error;
    /// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
    /// # }
    /// # async fn f() -> io::Result<()> {
    /// let connection = AsyncDropGuard::live(Connection);
    /// let rows = scope(connection, async |mut connection| {
    ///     let rows = connection.query("select 1").await;
    ///     connection.async_drop().await.after(rows)
    /// })
    /// .await?;
    /// # assert_eq!(rows, 1);
    /// # Ok(())
    /// # }
    /// # futures::executor::block_on(f()).unwrap();
    /// ```
    pub fn after<R, E: From<T::Error>>(
        self,
        body: Result<R, E>,
    ) -> (AsyncDropGuard<T, Dropped<B>>, Result<R, E>) {
        (self.proof, caught::body_first::<T, R, E>(body, self.result, E::from))
    }

    /// The proof if the cleanup succeeded.
    ///
    /// # Errors
    ///
    /// What the cleanup failed with. The proof is dropped.
    pub fn into_result(self) -> Result<AsyncDropGuard<T, Dropped<B>>, T::Error> {
        self.result.map(|()| self.proof)
    }
}

impl<T: AsyncDrop, B: Brand> fmt::Debug for Outcome<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome").field("result", &self.result).finish_non_exhaustive()
    }
}

/// The content of a checked guard that owes what this one owed.
#[inline]
fn checked<T>(slot: LiveSlot<T>) -> CheckedSlot<T> {
    let LiveSlot { bomb, value } = slot;
    CheckedSlot::Armed { fuse: bomb.into_fuse(), value }
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

    fn into_value<T>(slot: LiveSlot<T>) -> Result<T, Origin<T>> {
        let LiveSlot { bomb, value } = slot;
        bomb.defuse();
        Ok(value)
    }
}

impl Armed for Live {
    #[inline]
    fn arm<T>(origin: Origin<T>, value: T) -> LiveSlot<T> {
        LiveSlot { bomb: Bomb::new(origin), value }
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
        Checked::lend(checked(slot))
    }
}

impl<T: AsyncDrop + Send, B: Brand> Cleans<T> for Live<B> {
    #[inline]
    fn clean(
        slot: &mut LiveSlot<T>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + use<'_, T, B> {
        slot.value.async_drop_unboxed()
    }

    #[inline]
    fn discard(slot: LiveSlot<T>) {
        slot.bomb.defuse();
        drop(slot.value);
    }
}
