//! Background tasks in guards: the cleanup cancels the task, awaits it, and aborts it at a
//! deadline.
//!
//! The tasks run on tokio, so this needs the feature `tokio`.

use std::fmt::{self, Debug, Display};
use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::deferred::CleanupOutput;
use crate::panic::{drop_payload, message};
use crate::{AsyncDrop, AsyncDropGuard};

/// The default time between the cancellation of a task's token and the abort of the task: ten
/// seconds. [`set_deadline`](Task::set_deadline) changes it.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Spawns a task on the current tokio runtime, and returns a guard whose cleanup ends the task.
///
/// `task` receives a token, which the cleanup cancels. The task should select on
/// [`cancelled`](CancellationToken::cancelled), and return soon after. Its future returns `()` or a
/// `Result<(), E>`.
///
/// # Panics
///
/// If it is called outside a tokio runtime, as [`tokio::spawn`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), livedrop::task::TaskError<std::io::Error>> {
/// let mut flusher = livedrop::task::spawn(|stop| async move {
///     loop {
///         tokio::select! {
///             () = stop.cancelled() => break,
///             () = tokio::time::sleep(Duration::from_secs(1)) => { /* flush */ }
///         }
///     }
///     // flush one last time
///     Ok::<(), std::io::Error>(())
/// });
/// flusher.set_deadline(Duration::from_secs(5));
/// flusher.async_drop().await?;
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn spawn<F>(task: impl FnOnce(CancellationToken) -> F) -> AsyncDropGuard<Task<F::Output>>
where
    F: Future<Output: CleanupOutput<Error: Send> + Send> + Send + 'static,
{
    let stop = CancellationToken::new();
    let handle = tokio::spawn(task(stop.clone()));
    AsyncDropGuard::new(Task { handle, stop, deadline: DEADLINE, abort_at: None, joined: false })
}

/// A background task. [`spawn`] makes it.
///
/// The cleanup cancels the task's token, and awaits the task. If the task has not ended at the
/// deadline, the cleanup aborts it. The deadline counts from the first call of the cleanup. The
/// cleanup returns the result of the task.
///
/// # Cancel safety
///
/// The cleanup is cancel safe: the next call awaits the task until the same deadline.
///
/// # Errors
///
/// The cleanup fails with a [`TaskError`] if the task returned an error, panicked or was aborted.
#[derive(Debug)]
pub struct Task<R> {
    handle: JoinHandle<R>,
    stop: CancellationToken,
    deadline: Duration,
    /// The end of the deadline, once the token was cancelled. `None` also if it is too far in the future for
    /// an `Instant`.
    abort_at: Option<Instant>,
    joined: bool,
}

impl<R> Task<R> {
    /// Sets the time between the cancellation of the token and the abort of the task. With
    /// [`Duration::MAX`], the task is never aborted.
    pub fn set_deadline(&mut self, deadline: Duration) {
        self.deadline = deadline;
    }

    /// Returns the token that the cleanup cancels. It can be cancelled before, too, to stop the
    /// task early.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.stop
    }

    /// Returns whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

// Excluded from rustc's list of implementations, so that messages do not depend on features.
#[diagnostic::do_not_recommend]
#[async_trait]
impl<R: CleanupOutput<Error: Send> + Send> AsyncDrop for Task<R> {
    type Error = TaskError<R::Error>;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        if self.joined {
            return Ok(());
        }
        self.stop.cancel();
        let deadline = self.deadline;
        self.abort_at = self.abort_at.or_else(|| Instant::now().checked_add(deadline));
        let mut ended = match self.abort_at {
            Some(abort_at) => tokio::time::timeout_at(abort_at, &mut self.handle).await.ok(),
            None => Some(pin!(&mut self.handle).await),
        };
        if ended.is_none() {
            self.handle.abort();
            ended = Some(pin!(&mut self.handle).await);
        }
        self.joined = true;
        match ended.expect("the task is awaited without a timeout after the abort") {
            Ok(output) => output.into_result().map_err(TaskError::Failed),
            Err(error) => Err(TaskError::from_join(error, deadline)),
        }
    }
}

/// Aborts the task if it was not awaited, so that a task whose guard is lost does not run on.
impl<R> Drop for Task<R> {
    fn drop(&mut self) {
        if !self.joined {
            self.handle.abort();
        }
    }
}

/// Why a [`Task`] failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum TaskError<E> {
    /// The task returned this error.
    Failed(E),
    /// The task panicked with this message.
    Panicked(String),
    /// The task did not stop within this deadline, and was aborted. Or its runtime was shut down, which ends
    /// every task.
    Aborted(Duration),
}

impl<E> TaskError<E> {
    fn from_join(error: JoinError, deadline: Duration) -> Self {
        match error.try_into_panic() {
            Ok(payload) => {
                let message = message(&payload).to_owned();
                drop_payload(payload);
                TaskError::Panicked(message)
            }
            Err(_aborted) => TaskError::Aborted(deadline),
        }
    }
}

impl<E: Display> Display for TaskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TaskError::Failed(error) => write!(f, "the task failed: {error}"),
            TaskError::Panicked(message) => write!(f, "the task panicked: {message}"),
            TaskError::Aborted(deadline) => {
                write!(f, "the task did not stop within {deadline:?}, and was aborted")
            }
        }
    }
}

impl<E: Debug + Display> std::error::Error for TaskError<E> {}
