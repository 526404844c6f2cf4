//! The cleanup of an orphan, with its type erased, one poll of it, and its failure.

use std::any::Any;
use std::fmt::{self, Debug};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Adoptable;
use super::driver::OrphanWaker;
use super::entry::Facts;
use super::registry::Registry;
use super::slab::Key;
use crate::guard::{CleanupResult, drop_after_panic};
use crate::hook;
use crate::panic::{self, PanicPayload, caught, drop_caught, drop_payload};
use crate::shim::{self, SyncWrapper};
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

/// Returns a cleanup that polls `future` to its end, and drops the output.
pub(crate) fn finish<F: Future + Send + 'static>(mut future: Pin<Box<F>>) -> Cleanup {
    Box::pin(async move {
        let output = future.as_mut().await;
        // If this panics, `output` is a local and is dropped, with the guards inside it.
        drop(future);
        drop(output);
        Ok(())
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
    /// Polls the cleanup, and reports its failure to the hook. It never panics: a panic of the cleanup is a failure.
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
            Err(payload) => {
                self.failure = Some(Box::new(Failure::of_panic(payload)));
                let _second = self.cleanup.take().and_then(discard);
            }
        }
        if self.failure.is_some() {
            self.report_failure(registry);
        }
    }

    /// Tells the hook. The entry is still there, so no `drain` has ended before the hook is told.
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
pub(super) fn discard(cleanup: Cleanup) -> Option<Failure> {
    caught(|| drop(cleanup)).err().map(Failure::of_panic)
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

/// A failed cleanup of an orphan.
#[non_exhaustive]
pub struct Failure {
    /// The type of the value without its module paths.
    pub type_name: String,
    /// The place where the guard was created. `None` in a build without `debug_assertions` and
    /// without the feature `location`.
    pub created_at: Option<&'static Location<'static>>,
    /// The label of the handle that adopted it; see
    /// [`with_label`](crate::ReaperHandle::with_label).
    pub label: Option<Arc<str>>,
    /// The error, formatted by its `Debug`, or the message of the panic.
    pub message: String,
    error: KeptError,
}

/// The error of a failed cleanup; `None` after a panic. A panic of its `Drop` ends here: it must not end the
/// `Run` that drops its last report, and two of them in one report would abort.
struct KeptError(Option<SyncWrapper<Box<dyn Any + Send>>>);

impl Drop for KeptError {
    fn drop(&mut self) {
        drop_caught(self.0.take());
    }
}

impl Failure {
    fn new(message: String, error: Option<Box<dyn Any + Send>>) -> Self {
        let error = KeptError(error.map(SyncWrapper::new));
        Self { type_name: String::new(), created_at: None, label: None, message, error }
    }

    fn of_panic(payload: PanicPayload) -> Self {
        let message = format!("panicked: {}", panic::message(&payload));
        drop_payload(payload);
        Self::new(message, None)
    }

    pub(super) fn set_facts(&mut self, facts: &Facts) {
        self.type_name = facts.type_name();
        self.created_at = facts.created_at;
        self.label = facts.label();
    }

    /// Tells the hook. A panic of the hook ends here: it must not end a driver.
    pub(super) fn report(&self) {
        let Self { type_name, created_at, label, message, .. } = self;
        caught(|| hook::report_failed(type_name, *created_at, label.as_deref(), message))
            .unwrap_or_else(drop_payload);
    }

    /// Returns whether the cleanup panicked.
    #[must_use = "this returns whether the cleanup panicked and changes nothing"]
    pub fn is_panic(&self) -> bool {
        self.error.0.is_none()
    }

    /// Returns the error itself, if it is an `E`.
    ///
    /// # Errors
    ///
    /// Returns the failure if its error has another type, or if the cleanup panicked.
    pub fn downcast<E: 'static>(self) -> Result<E, Self> {
        let Self { type_name, created_at, label, message, mut error } = self;
        match error.0.take().map(|error| error.into_inner().downcast::<E>()) {
            Some(Ok(error)) => return Ok(*error),
            Some(Err(other)) => error.0 = Some(SyncWrapper::new(other)),
            None => {}
        }
        Err(Self { type_name, created_at, label, message, error })
    }
}

impl Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("type_name", &self.type_name)
            .field("created_at", &self.created_at)
            .field("label", &self.label)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.type_name)?;
        if let Some(label) = &self.label {
            write!(f, " {label:?}")?;
        }
        if let Some(at) = self.created_at {
            write!(f, " (created at {at})")?;
        }
        write!(f, ": {}", self.message)
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
