//! The cleanup of an orphan, with its type erased, and one poll of it.

use std::any::Any;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::driver::OrphanWaker;
use super::registry::Registry;
use super::slab::Key;
use super::{Adoptable, Failure};
use crate::guard::{CleanupResult, drop_after_panic};
use crate::panic::{self, drop_payload};
use crate::shim;
use crate::sync::Waiters;

/// A cleanup that owns its value, and drops it before it is ready.
pub(crate) type Cleanup = Pin<Box<dyn Future<Output = Result<(), BoxedError>> + Send>>;

/// Returns the cleanup of `value`. It begins at its first poll.
pub(crate) fn start<T: Adoptable>(value: T) -> Cleanup {
    let mut held = Held { value: Some(value) };
    Box::pin(async move {
        let Some(value) = &mut held.value else { return Ok(()) };
        let result = CleanupResult::<T>::new(value.async_drop_unboxed().await);
        // If the value panics in its own `Drop`, `result` reports its error.
        drop(held);
        result.into_result().map_err(BoxedError::new)
    })
}

/// Drops the value. If its cleanup has panicked, a panic of its `Drop` goes to the hook.
struct Held<T> {
    value: Option<T>,
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<T>() && std::thread::panicking() {
            drop_after_panic::<T>(self.value.take());
        }
    }
}

/// An orphan that a driver or a task has taken out of its entry to poll it.
pub(super) struct Orphan {
    pub(super) key: Key,
    /// `None` once it has ended.
    pub(super) cleanup: Option<Cleanup>,
    /// `None` before its first poll, and for a task.
    pub(super) waker: Option<Arc<OrphanWaker>>,
    /// Why it has failed.
    pub(super) failure: Option<Box<Failure>>,
}

impl Orphan {
    /// Polls the cleanup. It never panics: a panic of the cleanup is its failure, which the hook is told of.
    #[inline]
    pub(super) fn poll(&mut self, registry: &Registry, cx: &mut Context<'_>) {
        let Some(cleanup) = &mut self.cleanup else { return };
        let cleanup = cleanup.as_mut();
        // User code also formats the error and drops the value, so both are caught here.
        let poll = caught(|| match cleanup.poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => Poll::Ready(None),
            Poll::Ready(Err(error)) => Poll::Ready(Some(Box::new(error.into_failure()))),
        });
        match poll {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(failure)) => {
                self.failure = failure;
                self.cleanup = None;
            }
            Err(failure) => {
                self.failure = Some(failure);
                let _second = self.cleanup.take().and_then(discard);
            }
        }
        if self.failure.is_some() {
            self.report_failure(registry);
        }
    }

    /// Tells the hook. The entry is still there, so nobody has seen the end of the cleanup before the hook has.
    #[cold]
    fn report_failure(&mut self, registry: &Registry) {
        let facts = registry.update(|inner| Some(inner.entries.get_mut(self.key)?.facts.clone()));
        if let (Some(failure), Some(facts)) = (&mut self.failure, facts) {
            failure.set_facts(&facts);
            failure.report();
        }
    }
}

/// Drops a cleanup that has not ended, and returns the failure if that panics.
pub(super) fn discard(cleanup: Cleanup) -> Option<Box<Failure>> {
    caught(|| drop(cleanup)).err()
}

/// Runs `f`, and turns a panic into a failure.
fn caught<R>(f: impl FnOnce() -> R) -> Result<R, Box<Failure>> {
    panic::caught(f).map_err(|payload| {
        let message = format!("panicked: {}", panic::message(&payload));
        drop_payload(payload);
        Box::new(Failure::new(message, None))
    })
}

/// An error with its type erased, and a function that formats it.
pub(crate) struct BoxedError {
    error: Box<dyn Any + Send>,
    format: fn(&(dyn Any + Send)) -> String,
}

impl BoxedError {
    fn new<E: Debug + Send + 'static>(error: E) -> Self {
        let format = |error: &(dyn Any + Send)| {
            let error = error.downcast_ref::<E>().expect("the box holds the `E` from `new`");
            panic::debug_text(error)
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

/// A cleanup that others wait for. They are woken after the cleanup is dropped.
pub(super) struct Watched {
    pub(super) cleanup: Cleanup,
    #[expect(dead_code, reason = "it is kept to be dropped")]
    pub(super) waiters: Vec<shim::Arc<Waiters>>,
}

impl Future for Watched {
    type Output = Result<(), BoxedError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.cleanup.as_mut().poll(cx)
    }
}
