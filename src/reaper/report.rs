//! The reports of a reaper: pending values, failures, and the number of cleanups.

use std::any::Any;
use std::fmt::{self, Debug};
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::shim::SyncWrapper;

/// An adopted value that is not cleaned up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// The type of the value without its module paths. At [`Stage::Opening`], the type of the value
    /// that will be opened.
    pub type_name: String,
    /// The place where the guard was created. `None` in a build without `debug_assertions` and
    /// without the feature `location`.
    pub created_at: Option<&'static Location<'static>>,
    /// The label of the handle that adopted it; see
    /// [`with_label`](crate::ReaperHandle::with_label).
    pub label: Option<Arc<str>>,
    /// The time since the value was adopted.
    pub age: Duration,
    /// The stage that the value has reached.
    pub stage: Stage,
}

/// How far an adopted value has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// [`acquire`](crate::Reaper::acquire) is opening it.
    Opening,
    /// Its owner holds it.
    Alive,
    /// Its owner has begun to clean it up.
    Cleaning,
    /// Its owner has dropped it. The reaper has its cleanup, which it begins or resumes.
    Orphaned,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Stage::Opening => "opening",
            Stage::Alive => "alive",
            Stage::Cleaning => "cleaning",
            Stage::Orphaned => "orphaned",
        })
    }
}

/// Writes a line of a table: type, creation site, age in seconds, stage, label.
impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.created_at.map_or_else(|| "-".to_owned(), ToString::to_string);
        let seconds = self.age.as_secs_f64();
        write!(f, "{:<24} {site:<32} {seconds:>7.1} s  {}", self.type_name, self.stage)?;
        self.label.iter().try_for_each(|label| write!(f, "  {label}"))
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
    error: Option<SyncWrapper<Box<dyn Any + Send>>>,
}

impl Failure {
    pub(crate) fn new(message: String, error: Option<Box<dyn Any + Send>>) -> Self {
        let error = error.map(SyncWrapper::new);
        Self { type_name: String::new(), created_at: None, label: None, message, error }
    }

    pub(crate) fn of(
        mut self,
        type_name: String,
        created_at: Option<&'static Location<'static>>,
        label: Option<Arc<str>>,
    ) -> Self {
        self.type_name = type_name;
        self.created_at = created_at;
        self.label = label;
        self
    }

    /// Returns whether the cleanup panicked.
    #[must_use = "this returns whether the cleanup panicked and changes nothing"]
    pub fn is_panic(&self) -> bool {
        self.error.is_none()
    }

    /// Returns the error itself, if it is an `E`.
    ///
    /// # Errors
    ///
    /// Returns the failure if its error has another type, or if the cleanup panicked.
    pub fn downcast<E: 'static>(self) -> Result<E, Self> {
        let Self { type_name, created_at, label, message, error } = self;
        let error = match error.map(|error| error.into_inner().downcast::<E>()) {
            Some(Ok(error)) => return Ok(*error),
            Some(Err(other)) => Some(SyncWrapper::new(other)),
            None => None,
        };
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

/// The cleanups that a reaper has finished since its last report.
#[derive(Debug, Default)]
#[must_use = "dropping this loses the failures in it: no other report has them"]
#[non_exhaustive]
pub struct Report {
    /// The number of orphans that the reaper cleaned up, with or without success.
    pub cleaned: usize,
    /// The cleanups that failed, in the order in which they ended.
    pub failures: Vec<Failure>,
    /// The values that [`abandon`](crate::Reaper::abandon) dropped without their cleanup, and the
    /// adopted values that owners still held then.
    pub abandoned: Vec<Pending>,
}

impl Report {
    /// Returns `Ok` if no cleanup failed and no value was abandoned.
    ///
    /// # Errors
    ///
    /// Returns the report otherwise.
    pub fn into_result(self) -> Result<(), Self> {
        if self.failures.is_empty() && self.abandoned.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, abandoned) = (self.failures.len(), self.abandoned.len());
        write!(f, "{} orphans cleaned up, {failed} of them failed", self.cleaned)?;
        for failure in &self.failures {
            write!(f, "\n  {failure}")?;
        }
        if abandoned > 0 {
            write!(f, "\n{abandoned} abandoned:")?;
        }
        for pending in &self.abandoned {
            write!(f, "\n  {pending}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
