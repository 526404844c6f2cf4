//! `AppHandle`: what the body of an application and its tasks see of it.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZero;
use std::ops::Deref;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::{Ended, TaskFailure};
use crate::deferred::CleanupOutput;
use crate::panic::{catch, debug_text, drop_payload, message};
use crate::reaper::Report;
use crate::{ReaperHandle, hook};

/// A running application, for its body and its tasks. It dereferences to the [`ReaperHandle`] of the
/// application's reaper.
///
/// It is cheap to clone, `Send`, `Sync` and `'static`.
#[derive(Clone)]
pub struct AppHandle {
    reaper: ReaperHandle,
    pub(super) shared: Arc<Shared>,
}

impl AppHandle {
    pub(super) fn new(reaper: ReaperHandle) -> Self {
        Self { reaper, shared: Arc::default() }
    }

    /// Returns a future that is ready when the application stops.
    ///
    /// The future borrows nothing. Pass it to `with_graceful_shutdown` of axum, or select on it in a loop.
    #[must_use = "futures do nothing unless awaited"]
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.shared.stopping.clone().cancelled_owned()
    }

    /// Returns whether the application stops.
    #[must_use = "this returns whether the application stops and does not stop it"]
    pub fn is_stopping(&self) -> bool {
        self.shared.stopping.is_cancelled()
    }

    /// Stops the application, as the first signal does. If it is stopping already, this does nothing.
    pub fn stop(&self) {
        self.shared.stopping.cancel();
    }

    /// Returns a guard that stops the application when it is dropped.
    ///
    /// Hold it in a task without which the application must not go on: it also stops if that task returns an
    /// error, panics or is aborted.
    ///
    /// # Examples
    ///
    /// ```
    /// # use livedrop::app::{App, AppHandle};
    /// async fn worker(app: AppHandle) -> Result<(), &'static str> {
    ///     let _stop = app.stop_on_drop();
    ///     Err("the queue is gone")
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let ended = App::new().run(async |app| {
    ///     app.spawn(worker(app.clone()));
    ///     app.stopping().await;
    ///     Ok::<(), &str>(())
    /// });
    /// let error = ended.await.into_result().unwrap_err();
    /// assert_eq!(error.tasks[0].message, "failed: \"the queue is gone\"");
    /// # }
    /// ```
    #[must_use = "dropping this stops the application"]
    pub fn stop_on_drop(&self) -> DropGuard {
        self.shared.stopping.clone().drop_guard()
    }

    /// Spawns a task that ends with the application. Its future returns `()` or a `Result<(), E>`.
    ///
    /// [`App::run`](super::App::run) waits for the task. If the task is still running after the grace period,
    /// it is dropped. A task that is spawned later than that is dropped without a poll.
    ///
    /// An error or a panic of the task, or a drop after the grace period, is a [`TaskFailure`] in the
    /// application's [`Ended`]. The [`hook`] is told of it at once. As with `tokio::spawn`, it does not stop the
    /// application. Use [`stop_on_drop`](AppHandle::stop_on_drop) for that. A task that is aborted by the
    /// returned handle has not failed.
    ///
    /// # Panics
    ///
    /// If it is called outside a tokio runtime.
    #[track_caller]
    pub fn spawn<F>(&self, task: F) -> AbortHandle
    where
        F: Future<Output: CleanupOutput<Error: Send>> + Send + 'static,
    {
        let running = Running::new(&self.shared, Location::caller());
        let task = async move {
            let shared = &running.shared;
            // The future is also dropped in here, so this catches a panic of that, too.
            let ended = catch(async {
                let output = shared.aborting.run_until_cancelled(task).await?;
                Some(output.into_result().map_err(|error| debug_text(&error)))
            });
            let message = match ended.await {
                Ok(Some(Ok(()))) => return,
                Ok(Some(Err(error))) => format!("failed: {error}"),
                Ok(None) => "did not end in time, and was dropped".to_owned(),
                Err(payload) => {
                    let message = format!("panicked: {}", message(&payload));
                    drop_payload(payload);
                    message
                }
            };
            hook::report_task(running.spawned_at, &message);
            shared.record().add_failure(TaskFailure { spawned_at: running.spawned_at, message });
        };
        tokio::spawn(self.shared.tasks.track_future(task)).abort_handle()
    }

    /// Drops the body's tasks if `App::run` is dropped.
    pub(super) fn end_on_drop(&self) -> [DropGuard; 2] {
        [&self.shared.stopping, &self.shared.aborting].map(|token| token.clone().drop_guard())
    }

    /// Names what the end of the application waits for, if there is something.
    pub(super) fn what_is_left(&self) -> Option<String> {
        /// The number of values that are named.
        const NAMED: usize = 8;
        let (body, tasks) = {
            let record = self.shared.record();
            (!record.body_has_ended, record.running.clone())
        };
        let values = self.pending();
        let parts = [
            body.then(|| "the body".to_owned()),
            counted(tasks.values().sum(), "task"),
            counted(values.len(), "adopted value"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let (last, others) = parts.split_last()?;
        let and = if others.is_empty() { "" } else { " and " };
        let mut lines = vec![format!("stopping, and waiting for {}{and}{last}", others.join(", "))];
        lines.extend(tasks.into_iter().filter_map(|(site, count)| {
            Some(format!("  {} spawned at {site}", counted(count, "task")?))
        }));
        lines.extend(values.iter().take(NAMED).map(|value| format!("  {value}")));
        let more = NonZero::new(values.len().saturating_sub(NAMED));
        lines.extend(more.map(|more| format!("  and {more} more")));
        Some(lines.join("\n"))
    }
}

impl Deref for AppHandle {
    type Target = ReaperHandle;

    fn deref(&self) -> &ReaperHandle {
        &self.reaper
    }
}

impl fmt::Debug for AppHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppHandle")
            .field("is_stopping", &self.is_stopping())
            .field("pending", &self.pending())
            .finish()
    }
}

/// "1 task", "2 tasks", or nothing.
fn counted(count: usize, noun: &str) -> Option<String> {
    let s = if count == 1 { "" } else { "s" };
    (count > 0).then(|| format!("{count} {noun}{s}"))
}

/// State shared by an application, its handles and its tasks. The tokens are cancelled in this order.
#[derive(Default)]
pub(super) struct Shared {
    /// The body and the tasks should end.
    stopping: CancellationToken,
    /// The body and the tasks are dropped.
    pub(super) aborting: CancellationToken,
    /// The reaper abandons the rest.
    pub(super) abandoning: CancellationToken,
    pub(super) tasks: TaskTracker,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    body_has_ended: bool,
    by_signal: bool,
    /// The number of running tasks for each place where they were spawned.
    running: BTreeMap<&'static Location<'static>, usize>,
    failures: Vec<TaskFailure>,
    more_failures: usize,
}

impl Record {
    fn add_failure(&mut self, failure: TaskFailure) {
        /// The number of failures that are kept, so that the memory of a service does not grow.
        const KEPT: usize = 1024;
        if self.failures.len() < KEPT {
            self.failures.push(failure);
        } else {
            self.more_failures += 1;
        }
    }
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note_signal(&self) {
        self.record().by_signal = true;
    }

    pub(super) fn end_body(&self) {
        self.record().body_has_ended = true;
        self.tasks.close();
    }

    pub(super) fn ended<R, E>(&self, body: Option<Result<R, E>>, report: Report) -> Ended<R, E> {
        let record = std::mem::take(&mut *self.record());
        Ended {
            body,
            tasks: record.failures,
            more_tasks: record.more_failures,
            running: record.running.into_iter().collect(),
            report,
            by_signal: record.by_signal,
        }
    }
}

/// Counts a task as running until it is dropped.
struct Running {
    shared: Arc<Shared>,
    spawned_at: &'static Location<'static>,
}

impl Running {
    fn new(shared: &Arc<Shared>, spawned_at: &'static Location<'static>) -> Self {
        *shared.record().running.entry(spawned_at).or_default() += 1;
        Self { shared: Arc::clone(shared), spawned_at }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut record = self.shared.record();
        if let Some(count) = record.running.get_mut(self.spawned_at) {
            *count -= 1;
            if *count == 0 {
                record.running.remove(self.spawned_at);
            }
        }
    }
}
