//! The one routine that cleans up a value inside its guard, and the result of that.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::pin::pin;
use std::task::{Context, Poll};

use futures::FutureExt;

use super::checked::Phase;
use super::origin::Origin;
use super::slot::{OwnedSlot, Slot};
use crate::panic::{catch, caught};
use crate::reaper::Registration;
use crate::state::{LocallyCleanable, State};
use crate::{AsyncDrop, AsyncDropGuard, hook};

/// A slot that tracks its cleanup at run time: `CheckedSlot` and `AdoptedSlot`.
pub trait Owes<T: AsyncDrop>: Slot<T> {
    /// A slot for a helper that owns guards in this state. An `Adopted` one needs no registration: the
    /// guards inside have theirs. If there is one guard inside, `entry` is its entry.
    fn wrapper(origin: Origin<T>, value: T, entry: Option<Registration>) -> Self;

    /// Returns the value whose cleanup is owed, and how far that has come. `None` if nothing is
    /// owed, or if the slot keeps the cleanup itself, for [`poll_kept`](Self::poll_kept).
    fn owed(&mut self) -> Option<(&mut Phase, &mut T)>;

    /// Drops the value if its cleanup is `Finished`.
    fn settle(&mut self);

    /// Polls the cleanup that the slot keeps. Ready at once if nothing is owed.
    fn poll_kept(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>>;
}

/// A slot that can be made for any value of this type.
pub trait Arms<T: AsyncDrop>: Owes<T> {
    /// A slot that owes the cleanup of `value`. The reaper of `registration` adopts an `Adopted` one.
    fn new(origin: Origin<T>, value: T, registration: Option<Registration>) -> Self;
}

/// Cleans up the value in `slot`, and drops it.
///
/// If the cleanup panics, the value is dropped too, and the panic goes on. If this is cancelled,
/// `slot` owes the cleanup as before.
#[inline]
pub(crate) fn clean<T: AsyncDrop, S: Owes<T>>(
    slot: &mut S,
) -> impl Future<Output = Result<(), T::Error>> {
    async move {
        let settled = SettleOnDrop { slot, value: PhantomData };
        let Some((phase, value)) = settled.slot.owed() else {
            // A checked cleanup has ended. An adopted one is polled here.
            return poll_fn(|cx| settled.slot.poll_kept(cx)).await;
        };
        // `Finished` while user code runs, here and at each poll: if it panics, the cleanup counts as attempted.
        *phase = Phase::Finished;
        // If the future panics in its `Drop` after it was ready, rustc leaks `result`. Declared outside the block,
        // `result` would be dropped, but each cleanup would cost 20 instructions more (`benches/instructions.sh`).
        let result = {
            let mut cleanup = pin!(value.async_drop_unboxed());
            poll_fn(move |cx| {
                *phase = Phase::Finished;
                let poll = cleanup.as_mut().poll(cx);
                if poll.is_pending() {
                    *phase = Phase::CleaningUp;
                }
                poll
            })
            .await
        };
        let Err(error) = result else { return Ok(()) }; // `settled` drops the value
        // If the value panics in its own `Drop`, this reports the error.
        let result = CleanupResult::<T>::new(Err(error));
        settled.slot.settle();
        result.into_result()
    }
}

/// Drops a value while its thread unwinds, as after a panic of its cleanup. If its `Drop` panics, too, that goes to
/// the hook: a second panic would abort the process.
#[cold]
pub(crate) fn drop_after_panic<T>(value: impl Sized) {
    if let Err(payload) = caught(|| drop(value)) {
        hook::report_panic::<T>(payload);
    }
}

struct SettleOnDrop<'a, T: AsyncDrop, S: Owes<T>> {
    slot: &'a mut S,
    value: PhantomData<fn() -> T>,
}

impl<T: AsyncDrop, S: Owes<T>> Drop for SettleOnDrop<'_, T, S> {
    #[inline]
    fn drop(&mut self) {
        self.slot.settle();
    }
}

/// Cleans up the guard in `held`, and leaves `None`. If this is cancelled, the guard is in `held` again.
pub(crate) fn clean_in_place<T: AsyncDrop, S: LocallyCleanable<T>>(
    held: &mut Option<AsyncDropGuard<T, S>>,
) -> impl Future<Output = Result<(), T::Error>> {
    async move {
        let Some(guard) = held.take() else { return Ok(()) };
        let mut restore = RestoreOnDrop { held, slot: Some(guard.slot.into_owned()) };
        match &mut restore.slot {
            Some(slot) => clean(slot).await,
            None => Ok(()),
        }
    }
}

/// Puts the guard back, unless its cleanup has ended.
struct RestoreOnDrop<'a, T, S: State> {
    held: &'a mut Option<AsyncDropGuard<T, S>>,
    slot: Option<OwnedSlot<T, S>>,
}

impl<T, S: State> Drop for RestoreOnDrop<'_, T, S> {
    fn drop(&mut self) {
        let owing = self.slot.take().filter(|slot| !slot.is_done());
        *self.held = owing.and_then(S::Slot::from_owned).map(|slot| AsyncDropGuard { slot });
    }
}

/// The result of the cleanup of a `T`, or its panic.
///
/// If it is dropped before it was read, it reports itself to the hook. So nothing is lost if a
/// panic or a cancellation comes between a cleanup and its caller.
#[doc(hidden)]
#[must_use = "dropping this reports the error of the cleanup to the hook, and hides it from the caller"]
pub struct CleanupResult<T: AsyncDrop> {
    /// `None` once it was read.
    result: Option<std::thread::Result<Result<(), T::Error>>>,
}

impl<T: AsyncDrop> CleanupResult<T> {
    #[inline]
    pub(crate) fn new(result: Result<(), T::Error>) -> Self {
        Self::caught(Ok(result))
    }

    #[inline]
    pub(crate) fn caught(result: std::thread::Result<Result<(), T::Error>>) -> Self {
        Self { result: Some(result) }
    }

    /// Awaits `cleanup`, and catches its panic.
    #[inline]
    pub(crate) fn of(
        cleanup: impl Future<Output = Result<(), T::Error>>,
    ) -> impl Future<Output = Self> {
        catch(cleanup).map(Self::caught)
    }

    /// Returns the result, and resumes a panic.
    ///
    /// # Errors
    ///
    /// The error of the cleanup.
    ///
    /// # Panics
    ///
    /// If the cleanup panicked.
    #[inline]
    pub fn into_result(mut self) -> Result<(), T::Error> {
        let result = self.result.take().expect("a result is read once");
        result.unwrap_or_else(|payload| resume_unwind(payload))
    }

    /// Resumes the panic of the cleanup, if there is one.
    #[inline]
    pub fn resume_panic(&mut self) {
        if let Some(Err(payload)) = self.result.take_if(|result| result.is_err()) {
            resume_unwind(payload);
        }
    }

    /// Combines the result of the cleanup with the result of the body before it.
    ///
    /// # Errors
    ///
    /// The error of the body, or else the error of the cleanup. If there are both, the error of the
    /// cleanup goes to the hook.
    #[inline]
    pub fn after<R, E: FromCleanupError<T::Error>>(self, body: Result<R, E>) -> Result<R, E> {
        self.after_mapped(body, E::from_cleanup_error)
    }

    /// The same, with the error of the cleanup mapped.
    ///
    /// # Errors
    ///
    /// As [`after`](Self::after).
    #[inline]
    pub fn after_mapped<R, E>(
        self,
        body: Result<R, E>,
        map_err: impl FnOnce(T::Error) -> E,
    ) -> Result<R, E> {
        let output = match body {
            Ok(output) => output,
            Err(error) => {
                // If the hook panics, `error` is a local and is dropped, with the guards inside it.
                drop(self);
                return Err(error);
            }
        };
        if let Some(Ok(Ok(()))) = self.result {
            return Ok(output);
        }
        // The output may panic in its `Drop`, as a forgotten guard does. Then `self` reports the
        // error of the cleanup.
        drop(output);
        Err(map_err(self.into_result().expect_err("a success was returned above")))
    }
}

impl<T: AsyncDrop> Drop for CleanupResult<T> {
    #[inline]
    fn drop(&mut self) {
        match self.result.take() {
            None | Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => hook::report_suppressed::<T>(error),
            Some(Err(payload)) => hook::report_panic::<T>(payload),
        }
    }
}

impl<T: AsyncDrop> fmt::Debug for CleanupResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CleanupResult").finish_non_exhaustive()
    }
}

/// The error of a body that can take over the error of a cleanup: every type that implements `From<E>`.
#[diagnostic::on_unimplemented(
    message = "`{E}`, the error of the cleanup, cannot be returned as `{Self}`",
    label = "the error type of this body cannot hold the error of the cleanup",
    note = "implement `From<{E}>` for `{Self}`, or use an error type of your own with both; or map the error of the cleanup: `with_cleanup(value, async |value| value.close().await.map_err(…))`, or `with_async_drop!(guard, {{ … }}, |error| …)`",
    note = "if the cleanup cannot fail, use `with_async_drop_infallible!`"
)]
pub trait FromCleanupError<E> {
    #[doc(hidden)]
    fn from_cleanup_error(error: E) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E, B: From<E>> FromCleanupError<E> for B {
    fn from_cleanup_error(error: E) -> Self {
        Self::from(error)
    }
}

/// Holds the error of a cleanup that is taken for infallible.
///
/// The macros match it with no arms. That compiles if `E` has no values. Otherwise rustc names this type in
/// its error, and shows its line.
#[doc(hidden)]
#[derive(Debug)]
pub struct ThisCleanupCanFailWith<E>(pub E); // use `with_async_drop!`, whose block ends with a `Result`
