//! The cleanup of an orphan, with its type erased.

use std::any::Any;
use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{Adoptable, Failure};
use crate::guard::CleanupResult;
use crate::panic::{self, drop_payload};

/// A cleanup that owns its value, and drops it before it is ready.
pub(crate) type Cleanup = Pin<Box<dyn Future<Output = Result<(), BoxedError>> + Send>>;

/// An error with its type erased, and a function that formats it.
pub(crate) struct BoxedError {
    error: Box<dyn Any + Send>,
    format: fn(&(dyn Any + Send)) -> String,
}

impl BoxedError {
    fn new<E: Debug + Send + 'static>(error: E) -> Self {
        let format = |error: &(dyn Any + Send)| {
            let error = error.downcast_ref::<E>().expect("the box holds the `E` from `new`");
            format!("{error:?}")
        };
        Self { error: Box::new(error), format }
    }

    pub(crate) fn downcast<E: 'static>(self) -> E {
        *self.error.downcast().expect("the error has the type of the value's `AsyncDrop::Error`")
    }

    fn into_failure(self) -> Failure {
        Failure::new((self.format)(&*self.error), Some(self.error))
    }
}

/// Returns the cleanup of `value`. It begins at its first poll.
pub(crate) fn start<T: Adoptable>(mut value: T) -> Cleanup {
    Box::pin(async move {
        let result = CleanupResult::<T>::new(value.async_drop_unboxed().await);
        // If the value panics in its own `Drop`, `result` reports its error.
        drop(value);
        result.into_result().map_err(BoxedError::new)
    })
}

/// The cleanup of an orphan, with its key in the registry. Its `poll` never panics.
pub(super) struct OrphanTask {
    key: usize,
    /// `None` after a panic.
    cleanup: Option<Cleanup>,
}

/// The end of an orphan's cleanup.
pub(super) struct Completed {
    pub(super) key: usize,
    /// Boxed to keep `Completed` small: it is moved for every cleanup, and few fail.
    pub(super) failure: Option<Box<Failure>>,
}

impl OrphanTask {
    pub(super) fn new(key: usize, cleanup: Cleanup) -> Self {
        Self { key, cleanup: Some(cleanup) }
    }

    pub(super) fn key(&self) -> usize {
        self.key
    }

    /// Drops the unfinished cleanup, and returns the failure if that panics.
    pub(super) fn discard(mut self) -> Option<Box<Failure>> {
        let cleanup = self.cleanup.take();
        caught(|| drop(cleanup)).err()
    }
}

impl Future for OrphanTask {
    type Output = Completed;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Completed> {
        let key = self.key;
        let Some(cleanup) = &mut self.cleanup else {
            return Poll::Ready(Completed { key, failure: None });
        };
        // User code also formats the error and drops the value, so both are caught here.
        let poll = caught(|| {
            let result = ready!(cleanup.as_mut().poll(cx));
            Poll::Ready(result.map_err(|error| Box::new(error.into_failure())).err())
        });
        let failure = match poll {
            Ok(poll) => ready!(poll),
            Err(failure) => {
                let cleanup = self.cleanup.take();
                let _second = caught(|| drop(cleanup));
                Some(failure)
            }
        };
        Poll::Ready(Completed { key, failure })
    }
}

/// Runs `f`, and turns a panic into a failure.
fn caught<R>(f: impl FnOnce() -> R) -> Result<R, Box<Failure>> {
    panic::caught(f).map_err(|payload| {
        let message = format!("panicked: {}", panic::message(&payload));
        drop_payload(payload);
        Box::new(Failure::new(message, None))
    })
}
