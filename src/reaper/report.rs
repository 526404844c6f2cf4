//! What a reaper tells: what is pending, what failed, what was done.

use std::any::Any;
use std::fmt::{self, Debug};
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::sync_wrapper::SyncWrapper;

/// An adopted value that was not cleaned up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// The type of the value, without the paths; for [`Stage::Opening`], of what is opened.
    pub type_name: String,
    /// Where its guard was created. Kept in builds with `debug_assertions` and with the feature
    /// `location`.
    pub created_at: Option<&'static Location<'static>>,
    /// What the handle [was told](crate::ReaperHandle::with_label) to call it.
    pub label: Option<Arc<str>>,
    /// How long ago it was adopted.
    pub age: Duration,
    /// What it is waited for.
    pub stage: Stage,
}

/// What an adopted value is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// It is being [acquired](crate::Reaper::acquire).
    Opening,
    /// Its owner holds it.
    Alive,
    /// Its owner has begun to clean it up.
    Cleaning,
    /// Its owner has gone; the reaper has its cleanup, or the rest of it.
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

/// A line for a table: type, creation site, age in seconds, stage, label.
impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.created_at.map_or_else(|| "-".to_owned(), ToString::to_string);
        let seconds = self.age.as_secs_f64();
        write!(f, "{:<24} {site:<32} {seconds:>7.1} s  {}", self.type_name, self.stage)?;
        self.label.iter().try_for_each(|label| write!(f, "  {label}"))
    }
}

/// A cleanup of an orphan that failed.
#[non_exhaustive]
pub struct Failure {
    /// The type of the value, without the paths.
    pub type_name: String,
    /// Where its guard was created. Kept in builds with `debug_assertions` and with the feature
    /// `location`.
    pub created_at: Option<&'static Location<'static>>,
    /// What the handle [was told](crate::ReaperHandle::with_label) to call it.
    pub label: Option<Arc<str>>,
    /// The error as its `Debug` shows it, or the message of the panic.
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

    /// Whether the cleanup panicked.
    #[must_use = "this only tells"]
    pub fn is_panic(&self) -> bool {
        self.error.is_none()
    }

    /// The error itself.
    ///
    /// # Errors
    ///
    /// The failure comes back if its error is of another type, or if it was a panic.
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

/// What a reaper has done since its last report.
#[derive(Debug, Default)]
#[must_use = "it may hold failures, which are in no other report"]
#[non_exhaustive]
pub struct Report {
    /// How many orphans it cleaned up, with or without success.
    pub cleaned: usize,
    /// Which of them failed, in the order in which that was found.
    pub failures: Vec<Failure>,
    /// What [`abandon`](crate::Reaper::abandon) gave up.
    pub abandoned: Vec<Pending>,
}

impl Report {
    /// `Ok` if nothing failed and nothing was abandoned.
    ///
    /// # Errors
    ///
    /// The report itself.
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
