//! Panics that were caught so that something could go first, and reports of what comes second.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use futures::FutureExt;

use crate::hook::{self, Unhandled};
use crate::type_name;

pub(crate) type Payload = Box<dyn Any + Send>;

/// Reports an error that another one pushes aside.
#[cold]
pub(crate) fn suppress<T>(error: &dyn fmt::Debug) {
    suppress_of(&type_name::of::<T>(), error);
}

/// The same for a type that has only its name left.
#[cold]
pub(crate) fn suppress_of(type_name: &str, error: &dyn fmt::Debug) {
    hook::call(&Unhandled::Suppressed { type_name, error });
}

/// Reports an error that a caught panic pushes aside.
#[cold]
pub(crate) fn suppress_after_panic<T>(error: &dyn fmt::Debug) {
    hook::call_caught(&Unhandled::Suppressed { type_name: &type_name::of::<T>(), error });
}

/// Reports a panic that another one pushes aside.
#[cold]
pub(crate) fn suppress_panic<T>(payload: Payload) {
    suppress_after_panic::<T>(&Panicked(&payload));
    discard(payload);
}

/// Reports the panic of a body that a cancellation pushes aside, during the cleanup behind it.
#[cold]
pub(crate) fn suppress_body_panic<T>(payload: Payload) {
    suppress_after_panic::<T>(&BodyPanicked(&payload));
    discard(payload);
}

/// Drops the payload of a panic that ends here. Its `Drop` may panic, too, and so on.
#[cold]
pub(crate) fn discard(payload: Payload) {
    if let Err(second) = caught(|| drop(payload)) {
        std::mem::forget(second);
    }
}

/// What a panic said.
pub(crate) fn message(payload: &Payload) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "with a payload that is no text"
    }
}

/// A panic as an error to report.
pub(crate) struct Panicked<'a>(pub(crate) &'a Payload);

impl fmt::Debug for Panicked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", message(self.0))
    }
}

/// The panic of a body that nobody was told of but the hook.
struct BodyPanicked<'a>(&'a Payload);

impl fmt::Debug for BodyPanicked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body before it panicked: {}", message(self.0))
    }
}

/// The output of a future, or its panic.
#[doc(hidden)]
#[must_use = "a caught panic is to be resumed"]
pub struct Caught<R>(Result<R, Payload>);

impl<R> Caught<R> {
    /// Of a future that was caught.
    #[inline]
    pub fn new(result: Result<R, Payload>) -> Self {
        Self(result)
    }

    // Not an `async fn`: that would hold the future twice.
    pub(crate) fn from_future(future: impl Future<Output = R>) -> impl Future<Output = Self> {
        AssertUnwindSafe(future).catch_unwind().map(Self)
    }

    pub(crate) fn into_result(self) -> Result<R, Payload> {
        self.0
    }

    /// The output. Resumes the panic.
    pub fn resume(self) -> R {
        self.0.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

impl<R> fmt::Debug for Caught<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caught").finish_non_exhaustive()
    }
}

/// Runs it, and gives its panic back.
#[inline]
pub(crate) fn caught<R>(part: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(part))
}

/// Goes on with a panic. What belongs to its end is done while the thread unwinds: guards that
/// are dragged along must not take themselves for forgotten.
#[cold]
pub(crate) fn resume_with(payload: Payload, end: impl FnOnce()) -> ! {
    let _end = RunsWhenDropped(Some(end));
    resume_unwind(payload)
}

/// Does what belongs to the end of a panic while the thread unwinds, and gives the panic back.
#[cold]
pub(crate) fn drag_along(payload: Payload, end: impl FnOnce()) -> Payload {
    let Err(payload) = caught::<Infallible>(|| resume_with(payload, end));
    payload
}

struct RunsWhenDropped<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for RunsWhenDropped<F> {
    fn drop(&mut self) {
        if let Some(run) = self.0.take() {
            run();
        }
    }
}
