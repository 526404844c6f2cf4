//! `CleanupErrors`: the errors of many cleanups, and the collector that makes it.

use std::fmt::{self, Debug, Display};
use std::io;
use std::marker::PhantomData;
use std::panic::resume_unwind;

use crate::hook;
use crate::panic::{self, PanicPayload, caught, drop_caught};
use crate::shim::SyncWrapper;

/// The errors of several cleanups, in the order in which they were found. There is at least one.
///
/// # Examples
///
/// ```
/// use livedrop::CleanupErrors;
///
/// let mut errors = CleanupErrors::from("disk full");
/// errors.push("connection reset");
/// assert_eq!(errors.to_string(), "2 cleanups failed: disk full; connection reset");
/// assert_eq!(errors.into_first(), "disk full");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanupErrors<E> {
    first: E,
    others: Others<E>,
}

impl<E> CleanupErrors<E> {
    /// Collects `errors`, or returns `None` if there are none.
    pub fn from_errors(errors: impl IntoIterator<Item = E>) -> Option<Self> {
        let mut errors = errors.into_iter();
        Some(Self { first: errors.next()?, others: Others(errors.collect()) })
    }

    /// Adds an error.
    pub fn push(&mut self, error: E) {
        self.others.0.push(error);
    }

    /// Returns the number of errors, which is never 0.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    #[must_use]
    pub fn len(&self) -> usize {
        1 + self.others.0.len()
    }

    /// Returns a reference to the error that was found first.
    pub fn first(&self) -> &E {
        &self.first
    }

    /// Returns the error that was found first, and drops the others.
    pub fn into_first(self) -> E {
        let Self { first, others } = self;
        if let Err(payload) = caught(|| drop(others)) {
            // A guard inside it is reported. If it panicked during the unwinding, the process would abort.
            drop_caught(first);
            resume_unwind(payload);
        }
        first
    }

    /// Iterates over all errors, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        std::iter::once(&self.first).chain(&self.others.0)
    }
}

impl<E> From<E> for CleanupErrors<E> {
    fn from(first: E) -> Self {
        Self { first, others: Others(Vec::new()) }
    }
}

/// For a body with an [`io::Result`] around several cleanups. `into_inner` of the error returns all errors.
impl<E: Debug + Display + Send + Sync + 'static> From<CleanupErrors<E>> for io::Error {
    fn from(errors: CleanupErrors<E>) -> Self {
        Self::other(errors)
    }
}

impl<E> Extend<E> for CleanupErrors<E> {
    fn extend<I: IntoIterator<Item = E>>(&mut self, errors: I) {
        self.others.0.extend(errors);
    }
}

impl<E> IntoIterator for CleanupErrors<E> {
    type Item = E;
    type IntoIter = std::iter::Chain<std::iter::Once<E>, std::vec::IntoIter<E>>;

    fn into_iter(self) -> Self::IntoIter {
        let Self { first, mut others } = self;
        std::iter::once(first).chain(std::mem::take(&mut others.0))
    }
}

impl<E: Display> Display for CleanupErrors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.others.0.is_empty() {
            write!(f, "cleanup failed: ")?;
        } else {
            write!(f, "{} cleanups failed: ", self.len())?;
        }
        write!(f, "{}", self.first)?;
        self.others.0.iter().try_for_each(|error| write!(f, "; {error}"))
    }
}

/// Implemented if `E` is [`Display`], not only if `E` is an error. So `?` converts `CleanupErrors`
/// of strings, too, into `anyhow::Error` or `Box<dyn Error + Send + Sync>`.
impl<E: Debug + Display> std::error::Error for CleanupErrors<E> {}

/// The errors after the first. If the `Drop` of one panics, the others are dropped nevertheless: two such errors in
/// a `Vec` would abort the process.
#[derive(Clone, PartialEq, Eq)]
struct Others<E>(Vec<E>);

impl<E> Drop for Others<E> {
    fn drop(&mut self) {
        panic::drop_each(self.0.drain(..));
    }
}

impl<E: Debug> Debug for Others<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The errors and the first panic of the cleanups of many `T`s.
///
/// A container adds each result as its cleanup ends, and calls [`finish`](Self::finish) at the end.
/// If the collector is dropped before that, because the cleanup was cancelled for good, it reports
/// its content to the hook: no error is lost silently.
pub(crate) struct ErrorCollector<T, E: Debug> {
    errors: Option<CleanupErrors<E>>,
    panic: SyncWrapper<Option<PanicPayload>>,
    values: PhantomData<fn() -> T>,
}

impl<T, E: Debug> ErrorCollector<T, E> {
    pub(crate) fn new() -> Self {
        Self { errors: None, panic: SyncWrapper::new(None), values: PhantomData }
    }

    pub(crate) fn from_errors(errors: CleanupErrors<E>) -> Self {
        Self { errors: Some(errors), panic: SyncWrapper::new(None), values: PhantomData }
    }

    /// Adds the result of a cleanup whose panic was caught.
    pub(crate) fn add(&mut self, result: std::thread::Result<Result<(), E>>) {
        match result {
            Ok(result) => self.add_result(result),
            Err(payload) => self.add_panic(payload),
        }
    }

    #[inline]
    pub(crate) fn add_result(&mut self, result: Result<(), E>) {
        if let Err(error) = result {
            match &mut self.errors {
                Some(errors) => errors.push(error),
                none => *none = Some(CleanupErrors::from(error)),
            }
        }
    }

    /// Keeps the first panic. The others go to the hook.
    pub(crate) fn add_panic(&mut self, payload: PanicPayload) {
        match self.panic.get_mut() {
            Some(_) => hook::report_panic::<T>(payload),
            none => *none = Some(payload),
        }
    }

    /// Returns the errors, or resumes the first panic. If there is a panic, the errors go to the
    /// hook.
    pub(crate) fn finish(&mut self) -> Result<(), CleanupErrors<E>> {
        if let Some(payload) = self.panic.get_mut().take() {
            // Report during the unwind: if the hook panics now, the first panic still wins.
            let _reported_on_drop = std::mem::replace(self, Self::new());
            resume_unwind(payload);
        }
        self.errors.take().map_or(Ok(()), Err)
    }
}

impl<T, E: Debug> Drop for ErrorCollector<T, E> {
    fn drop(&mut self) {
        if let Some(payload) = self.panic.get_mut().take() {
            hook::report_panic::<T>(payload);
        }
        panic::for_each(self.errors.take().into_iter().flatten(), hook::report_suppressed::<T>);
    }
}

/// An error of the same kind whose message begins with what failed.
#[cfg(any(feature = "fs", feature = "process"))]
pub(crate) fn failed_to(action: fmt::Arguments<'_>, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {action}: {error}"))
}
