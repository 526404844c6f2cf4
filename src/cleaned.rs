//! What comes of cleanups, and what it makes of what came before them.

use std::convert::Infallible;
use std::fmt;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

use crate::AsyncDrop;
use crate::caught::{
    Caught, Payload, caught, discard, drag_along, suppress, suppress_after_panic, suppress_panic,
};

/// What came of the cleanup of a `T`, not yet weighed against what came before it.
#[doc(hidden)]
#[must_use = "the result of the cleanup is lost otherwise"]
pub struct Cleaned<T: AsyncDrop>(Result<Result<(), T::Error>, Payload>);

impl<T: AsyncDrop> Cleaned<T> {
    #[inline]
    pub(crate) fn without_panic(result: Result<(), T::Error>) -> Self {
        Self(Ok(result))
    }

    /// Of a cleanup that was caught, and of what belongs to its end: it may panic as well.
    #[inline]
    pub(crate) fn ended(result: Result<Result<(), T::Error>, Payload>, end: impl FnOnce()) -> Self {
        Self(match result {
            Ok(result) => caught(|| end_with::<T>(result, end)),
            Err(payload) => Err(drag_along(payload, end)),
        })
    }

    /// The result. Resumes the panic.
    pub(crate) fn resume(self) -> Result<(), T::Error> {
        self.0.unwrap_or_else(|payload| resume_unwind(payload))
    }

    pub(crate) fn from_future(
        cleanup: impl Future<Output = Result<(), T::Error>>,
    ) -> impl Future<Output = Self> {
        AssertUnwindSafe(cleanup).catch_unwind().map(Self)
    }

    /// What the body came to, if that was an error or a panic; else what the cleanup came to.
    pub fn after<R, E>(self, body: Caught<Result<R, E>>) -> Caught<Result<R, E>>
    where
        E: TakesIn<T::Error>,
    {
        self.after_mapped(body, E::take_in)
    }

    /// The same, with the error of the cleanup mapped.
    pub fn after_mapped<R, E>(
        self,
        body: Caught<Result<R, E>>,
        map_err: impl FnOnce(T::Error) -> E,
    ) -> Caught<Result<R, E>> {
        Caught::new(match (body.into_result(), self.0) {
            (Ok(body), Ok(Ok(()))) => Ok(body),
            // Whatever panics in here, the next cleanup is weighed as well, if there is one.
            (Ok(body), Ok(failed)) => caught(|| body_first::<T, R, E>(body, failed, map_err)),
            (Ok(output), Err(payload)) => Err(drag_along(payload, || drop(output))),
            (Err(first), cleanup) => Err(Cleaned::<T>(cleanup).after_panic(first)),
        })
    }

    /// The same for a body with any output, where the cleanup cannot fail.
    pub fn after_infallible<R>(self, body: Caught<R>) -> Caught<R>
    where
        T::Error: CannotHappen,
    {
        Caught::new(match (body.into_result(), self.0) {
            (Ok(output), Ok(Ok(()))) => Ok(output),
            (Ok(_), Ok(Err(error))) => error.cannot_happen(),
            (Ok(output), Err(payload)) => Err(drag_along(payload, || drop(output))),
            (Err(first), cleanup) => Err(Cleaned::<T>(cleanup).after_panic(first)),
        })
    }

    /// The panic of the body. What went wrong in the cleanup goes to the hook.
    pub(crate) fn after_panic(self, first: Payload) -> Payload {
        match self.0 {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                suppress_after_panic::<T>(&error);
                if let Err(second) = caught(|| drop(error)) {
                    discard(second);
                }
            }
            Err(payload) => suppress_panic::<T>(payload),
        }
        first
    }

    /// The panics of several cleanups are weighed before their errors: one that was weighed
    /// already would go with the output that a panic takes along.
    pub(crate) fn panic_first<R>(self, body: Result<R, Payload>) -> (Result<R, Payload>, Self) {
        match (self.0, body) {
            (Ok(result), body) => (body, Self(Ok(result))),
            (Err(payload), Ok(output)) => {
                (Err(drag_along(payload, || drop(output))), Self(Ok(Ok(()))))
            }
            (Err(payload), Err(first)) => {
                suppress_panic::<T>(payload);
                (Err(first), Self(Ok(Ok(()))))
            }
        }
    }

    /// Nobody is left to be told but the hook.
    pub(crate) fn suppress(self) {
        match self.0 {
            Ok(Ok(())) => {}
            Ok(Err(error)) => suppress::<T>(&error),
            Err(payload) => suppress_panic::<T>(payload),
        }
    }
}

impl<T: AsyncDrop> fmt::Debug for Cleaned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cleaned").finish_non_exhaustive()
    }
}

/// The error of a block, where that of the cleanup is returned as one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{E}`, the error of the cleanup, cannot be returned as `{Self}`",
    label = "a cleanup that fails has no place in this block's result",
    note = "implement `From<{E}>` for `{Self}`, or map it: `with_async_drop!(guard, {{ … }}, |error| …)`; if the cleanup cannot fail, use `with_async_drop_infallible!`"
)]
pub trait TakesIn<E> {
    fn take_in(error: E) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E, B: From<E>> TakesIn<E> for B {
    fn take_in(error: E) -> Self {
        Self::from(error)
    }
}

/// The error of a cleanup that cannot fail.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this cleanup can fail with `{Self}`",
    label = "its error would have nowhere to go",
    note = "use `with_async_drop!`, whose block ends with a `Result`"
)]
pub trait CannotHappen {
    fn cannot_happen(self) -> !;
}

impl CannotHappen for Infallible {
    fn cannot_happen(self) -> ! {
        match self {}
    }
}

/// The body's error if there is one, and that of the cleanup otherwise.
pub(crate) fn body_first<T: AsyncDrop, R, E>(
    body: Result<R, E>,
    cleanup: Result<(), T::Error>,
    map_err: impl FnOnce(T::Error) -> E,
) -> Result<R, E> {
    match (body, cleanup) {
        (body, Ok(())) => body,
        (Ok(output), Err(error)) => Err(map_err(end_failed::<T>(error, || drop(output)))),
        (Err(first), Err(error)) => {
            suppress::<T>(&error);
            Err(first)
        }
    }
}

/// Does what belongs to the end of a cleanup: it may panic, and hides no error then.
#[inline]
pub(crate) fn end_with<T: AsyncDrop>(
    result: Result<(), T::Error>,
    end: impl FnOnce(),
) -> Result<(), T::Error> {
    match result {
        Ok(()) => {
            end();
            Ok(())
        }
        Err(error) => Err(end_failed::<T>(error, end)),
    }
}

/// The same of a cleanup that failed. If what belongs to its end panics, the hook gets the error.
#[cold]
fn end_failed<T: AsyncDrop>(error: T::Error, end: impl FnOnce()) -> T::Error {
    if let Err(payload) = caught(end) {
        suppress_after_panic::<T>(&error);
        resume_unwind(payload);
    }
    error
}
