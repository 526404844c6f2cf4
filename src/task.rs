//! Background tasks that are told to stop, waited for, and aborted after a deadline.
//!
//! For tokio: the feature `tokio`.

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

/// How long a task has between being told to stop and being aborted, unless
/// [`set_deadline`](Task::set_deadline) says otherwise: ten seconds.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Spawns a task on the current tokio runtime, in the guard that ends it.
///
/// `task` gets the token by which it is told to stop: it should select on
/// [`cancelled`](CancellationToken::cancelled), and return soon after. Its future returns `()`
/// or a `Result<(), E>`.
///
/// # Panics
///
/// Outside of a tokio runtime, as [`tokio::spawn`] does.
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
///     // flush for the last time
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

/// A background task. Made by [`spawn`].
///
/// Cleaning up cancels its token, waits for it to end, and aborts it once the deadline has
/// passed, counted from the first attempt. What the task returns is the result of the cleanup.
///
/// # Cancel safety
///
/// Cleaning up is cancel safe: call it again, and it waits on, until the same deadline.
///
/// # Errors
///
/// The cleanup fails with the [`TaskError`] if the task returned an error, panicked or had to be
/// aborted.
#[derive(Debug)]
pub struct Task<R> {
    handle: JoinHandle<R>,
    stop: CancellationToken,
    deadline: Duration,
    /// Since it was told to stop.
    abort_at: Option<Instant>,
    joined: bool,
}

impl<R> Task<R> {
    /// How long the task has between being told to stop and being aborted.
    pub fn set_deadline(&mut self, deadline: Duration) {
        self.deadline = deadline;
    }

    /// The token by which the task is told to stop.
    #[must_use = "the token does nothing by itself"]
    pub fn token(&self) -> &CancellationToken {
        &self.stop
    }

    /// Whether the task has ended by itself.
    #[must_use = "this only tells"]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

// Not in the compiler's list of implementations, which is then the same with all features.
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
        let abort_at = *self.abort_at.get_or_insert_with(|| Instant::now() + deadline);
        let mut ended = tokio::time::timeout_at(abort_at, &mut self.handle).await.ok();
        if ended.is_none() {
            self.handle.abort();
            ended = Some(pin!(&mut self.handle).await);
        }
        self.joined = true;
        match ended.expect("it was waited for") {
            Ok(output) => output.into_result().map_err(TaskError::Failed),
            Err(error) => Err(TaskError::from_join(error, deadline)),
        }
    }
}

/// A task whose guard was lost is not left to itself: it is aborted.
impl<R> Drop for Task<R> {
    fn drop(&mut self) {
        if !self.joined {
            self.handle.abort();
        }
    }
}

/// How a [`Task`] went wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum TaskError<E> {
    /// It returned this error.
    Failed(E),
    /// It panicked with this message.
    Panicked(String),
    /// It did not stop within this deadline, and was aborted.
    Aborted(Duration),
}

impl<E> TaskError<E> {
    fn from_join(error: JoinError, deadline: Duration) -> Self {
        match error.try_into_panic() {
            Ok(payload) => {
                let message = format!("panicked: {}", message(&payload));
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
            TaskError::Panicked(message) => write!(f, "the task {message}"),
            TaskError::Aborted(deadline) => {
                write!(f, "the task did not stop within {deadline:?}, and was aborted")
            }
        }
    }
}

impl<E: Debug + Display> std::error::Error for TaskError<E> {}
