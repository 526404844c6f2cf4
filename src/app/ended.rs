//! `Ended`: how an application has ended. `AppError`: what went wrong. Both decide the exit code.

use std::fmt::{self, Debug, Display};
use std::io::Write;
use std::panic::Location;
use std::process::{ExitCode, Termination};

use crate::reaper::Report;

/// How an application has ended.
///
/// It is the result of [`App::run`](super::App::run), and can be the result of `main`:
///
/// | exit code | meaning |
/// |---|---|
/// | 0, or that of the body's value | the body returned `Ok`, and everything is cleaned up |
/// | 1 | the body, a task or a cleanup failed, or the body or a task did not end in the grace period |
/// | 2 | a value was abandoned without the end of its cleanup, or a task blocks its thread |
///
/// A panic of the body, also that of a guard that it has forgotten, is resumed. In `main` its exit code is 101.
///
/// As the result of `main`, it prints what went wrong to the standard error, as `Result` does: the word
/// `Error:`, and the [`Debug`] of the [`AppError`].
///
/// # Examples
///
/// ```
/// use livedrop::app::{App, Ended};
///
/// #[tokio::main]
/// async fn main() -> Ended<(), std::io::Error> {
///     App::new().run(async |app| {
///         // …
/// #       let _ = app;
///         Ok(())
///     }).await
/// }
/// ```
#[derive(Debug)]
#[must_use = "dropping this hides what failed and what was abandoned"]
#[non_exhaustive]
pub struct Ended<R, E> {
    /// The result of the body. `None` if the body was dropped, because it did not end in time.
    pub body: Option<Result<R, E>>,
    /// The first 1,024 tasks that failed.
    pub tasks: Vec<TaskFailure>,
    /// The number of the other tasks that failed.
    pub more_tasks: usize,
    /// The tasks that block their threads, so that they could not be dropped: where they were spawned, and how
    /// many.
    pub running: Vec<(&'static Location<'static>, usize)>,
    /// The cleanups of orphans, and the abandoned values.
    pub report: Report,
    /// Whether SIGINT or SIGTERM has arrived. Then a program should not start another application.
    pub by_signal: bool,
}

impl<R, E> Ended<R, E> {
    /// Returns the value of the body, if nothing went wrong.
    ///
    /// # Errors
    ///
    /// An [`AppError`] otherwise. The value of the body is dropped then; to keep it, take it from the field
    /// `body` before.
    pub fn into_result(self) -> Result<R, Box<AppError<E>>> {
        let Self { body, tasks, more_tasks, running, report, by_signal: _ } = self;
        let all_well = tasks.is_empty() && running.is_empty();
        let (report, is_clean) = match report.into_result() {
            Ok(()) => (Report::default(), true),
            Err(report) => (report, false),
        };
        match body {
            Some(Ok(value)) if all_well && is_clean => Ok(value),
            body => {
                let body = body.map(|result| result.map(drop));
                Err(Box::new(AppError { body, tasks, more_tasks, running, report }))
            }
        }
    }
}

/// The exit code of the application, without a print. The value of the body does not matter.
impl<R, E> From<Ended<R, E>> for ExitCode {
    fn from(ended: Ended<R, E>) -> Self {
        ended.into_result().map_or_else(|error| error.exit_code(), |_| ExitCode::SUCCESS)
    }
}

impl<R: Termination, E: Debug> Termination for Ended<R, E> {
    fn report(self) -> ExitCode {
        match self.into_result() {
            Ok(value) => value.report(),
            Err(error) => {
                print(format_args!("Error: {error:?}"));
                error.exit_code()
            }
        }
    }
}

/// What went wrong in an application: its body, its tasks, its cleanups.
///
/// [`Display`] and [`Debug`] both write a text for people, a line or more for each fault. The first has the
/// [`Display`] of the body's error, the second its [`Debug`].
#[non_exhaustive]
pub struct AppError<E> {
    /// How the body has ended. `None` if it was dropped, because it did not end in time.
    pub body: Option<Result<(), E>>,
    /// The first 1,024 tasks that failed.
    pub tasks: Vec<TaskFailure>,
    /// The number of the other tasks that failed.
    pub more_tasks: usize,
    /// The tasks that block their threads, so that they could not be dropped: where they were spawned, and how
    /// many.
    pub running: Vec<(&'static Location<'static>, usize)>,
    /// The failed cleanups of orphans, and the abandoned values.
    pub report: Report,
}

impl<E> AppError<E> {
    /// Returns the exit code of [`Ended`]: 2 if something was abandoned, and 1 otherwise.
    #[must_use = "this returns the exit code and does not exit"]
    pub fn exit_code(&self) -> ExitCode {
        let Report { abandoned, undecided, .. } = &self.report;
        let is_abandoned = !abandoned.is_empty() || *undecided > 0 || !self.running.is_empty();
        ExitCode::from(if is_abandoned { 2 } else { 1 })
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, body: Option<&dyn Display>) -> fmt::Result {
        let mut lines = Vec::new();
        if let Some(error) = body {
            lines.push(format!("the body failed: {error}"));
        } else if self.body.is_none() {
            lines.push(
                "the body did not end in time, and was dropped. Let it end when `stopping()` is ready, \
                 or raise `App::grace`."
                    .to_owned(),
            );
        }
        lines.extend(self.tasks.iter().map(ToString::to_string));
        if self.more_tasks > 0 {
            lines.push(format!("{} more tasks failed", self.more_tasks));
        }
        let Report { failures, more_failures, abandoned, undecided, .. } = &self.report;
        lines.extend(failures.iter().map(|failure| format!("could not clean up {failure}")));
        if *more_failures > 0 {
            lines.push(format!("{more_failures} more cleanups failed"));
        }
        lines.extend(self.running.iter().map(|(site, count)| {
            format!(
                "{count} of the tasks spawned at {site} could not be dropped, because they block their \
                 threads. Let them await, or use `spawn_blocking`."
            )
        }));
        if *undecided > 0 {
            lines.push(format!(
                "{undecided} of the cleanups were not waited for, because they block their threads. Use \
                 `spawn_blocking` in them."
            ));
        }
        if !abandoned.is_empty() {
            lines.push(format!(
                "{} abandoned, because the deadline had passed or a second signal arrived. Let the owners \
                 and the cleanups end sooner, or raise `App::deadline`:",
                abandoned.len()
            ));
            lines.extend(abandoned.iter().map(|pending| format!("  {pending}")));
        }
        f.write_str(&lines.join("\n"))
    }
}

impl<E: Display> Display for AppError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.body.as_ref().and_then(|body| body.as_ref().err());
        self.write(f, error.map(|error| error as &dyn Display))
    }
}

impl<E: Debug> Debug for AppError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.body.as_ref().and_then(|body| body.as_ref().err());
        let error = error.map(|error| format!("{error:?}"));
        self.write(f, error.as_ref().map(|error| error as &dyn Display))
    }
}

impl<E: Debug + Display> std::error::Error for AppError<E> {}

/// A task of [`AppHandle::spawn`](super::AppHandle::spawn) that failed, panicked or was dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskFailure {
    /// The place of the call of `spawn`.
    pub spawned_at: &'static Location<'static>,
    /// What happened: `failed:` and the [`Debug`] of the error, `panicked:` and the message of the panic, or
    /// that it did not end in time.
    pub message: String,
}

impl Display for TaskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the task spawned at {} {}", self.spawned_at, self.message)
    }
}

/// Prints to the standard error. `eprintln!` would panic if that is closed.
pub(super) fn print(text: fmt::Arguments<'_>) {
    let _closed = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}
