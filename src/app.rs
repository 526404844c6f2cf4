//! Runs an application: signals, a grace period, the cleanups, a deadline and the exit code.
//!
//! [`App::run`] runs the body of an application with a [`Reaper`]. It ends everything in
//! the right order when SIGINT or SIGTERM arrives, so that no adopted value is lost. The page on
//! [shutdown](crate::guide::shutdown) explains the order, and how to do the same without this module.
//!
//! The module runs on tokio, so it needs the feature `app`.
//!
//! # Examples
//!
//! A service with a pool, a child process and a background task:
//!
//! ```no_run
//! # #[cfg(feature = "process")]
//! # mod application {
//! use livedrop::app::{App, AppHandle, Ended};
//! use livedrop::{Adopted, AsyncDropGuard, process};
//! use std::io;
//! use std::sync::Arc;
//! use std::time::Duration;
//! use tokio::{process::Command, time::sleep};
//! # struct Database;
//! # impl Database {
//! #     async fn open(_: &str) -> io::Result<AsyncDropGuard<Self>> { Ok(AsyncDropGuard::new(Self)) }
//! #     async fn vacuum(&self) -> io::Result<()> { Ok(()) }
//! # }
//! # #[async_trait::async_trait]
//! # impl livedrop::AsyncDrop for Database {
//! #     type Error = io::Error;
//! #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
//! # }
//! # async fn next_request() {}
//! # async fn answer(_: Arc<Pool>, _: ()) -> io::Result<()> { Ok(()) }
//!
//! type Pool = AsyncDropGuard<Database, Adopted>;
//!
//! #[tokio::main]
//! pub async fn main() -> Ended<(), io::Error> {
//!     App::new().grace(Duration::from_secs(5)).run(service).await
//! }
//!
//! async fn service(app: AppHandle) -> io::Result<()> {
//!     let _proxy = app.adopt(process::spawn(&mut Command::new("envoy"))?);
//!     let pool = Arc::new(app.acquire(Database::open("postgres://localhost")).await?);
//!     app.spawn(vacuum(app.clone(), Arc::clone(&pool)));
//!     loop {
//!         tokio::select! {
//!             () = app.stopping() => return Ok(()),
//!             request = next_request() => drop(app.spawn(answer(Arc::clone(&pool), request))),
//!         }
//!     }
//! }
//!
//! async fn vacuum(app: AppHandle, pool: Arc<Pool>) -> io::Result<()> {
//!     loop {
//!         tokio::select! {
//!             () = app.stopping() => return Ok(()),
//!             () = sleep(Duration::from_secs(60)) => pool.vacuum().await?,
//!         }
//!     }
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! The body and the tasks share the pool in an `Arc`. When the last of them drops it, the reaper closes the pool.
//! A body that closed the pool itself would close it before the tasks have ended.
//!
//! For several values of one type, `app.with_label("db 1")` gives each a name in the reports.
//!
//! With axum, the body is `axum::serve(listener, router).with_graceful_shutdown(app.stopping()).await`.

use std::future::pending;
use std::panic::resume_unwind;
use std::time::Duration;

use futures::future::join3;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::guard::Origin;
use crate::panic::catch;
use crate::{AsyncDropGuard, Checked, Reaper};

mod ended;
mod handle;
mod signals;

pub use ended::{AppError, Ended, TaskFailure};
pub use handle::AppHandle;

use ended::print;
use signals::Signals;

/// The default of [`App::grace`]: five seconds.
pub const GRACE: Duration = Duration::from_secs(5);

/// The default of [`App::deadline`]: twenty seconds. It is longer than [`GRACE`] and the deadline of a
/// [task](crate::task::DEADLINE) or a child process together, and shorter than the thirty seconds after which
/// Kubernetes kills a process.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// The interval between two lines that say what the end waits for.
const PRINT_EVERY: Duration = Duration::from_secs(1);

/// How long the end waits for aborted tasks to be dropped, if there is no time left.
const MOMENT: Duration = Duration::from_millis(100);

/// An application: how it stops, and how much time its end may take.
///
/// The [module](self) has an example.
#[derive(Debug, Clone)]
#[must_use = "this does nothing until `run` is awaited"]
pub struct App {
    grace: Duration,
    deadline: Duration,
    handles_signals: bool,
}

impl App {
    /// Creates an application that stops at SIGINT and SIGTERM, with the default [`GRACE`] and [`DEADLINE`].
    pub fn new() -> Self {
        Self { grace: GRACE, deadline: DEADLINE, handles_signals: true }
    }

    /// Sets how long the body and the spawned tasks may run on after the stop. Then they are dropped.
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Sets how long the whole end may take, from the stop on. Then the remaining values are abandoned.
    ///
    /// It includes [`grace`](App::grace). If it is shorter, the body and the tasks are dropped at the
    /// deadline. Choose it shorter than the time after which your supervisor kills the process.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Leaves the signals to the rest of the program.
    ///
    /// It is for a program that handles signals by itself, or that contains the application as a part.
    /// [`AppHandle::stop`] stops the application.
    pub fn without_signals(self) -> Self {
        Self { handles_signals: false, ..self }
    }

    /// Runs `body`, and returns when the body, the spawned tasks and all cleanups have ended.
    ///
    /// `body` gets a handle, by which it adopts guards, spawns tasks and learns of the stop. It runs in the
    /// task of the caller, so it may borrow. The end has these steps:
    ///
    /// 1. The *stop*: SIGINT or SIGTERM arrives, [`AppHandle::stop`] is called, or the body ends, also with an
    ///    error or a panic. [`AppHandle::stopping`] is ready.
    /// 2. The body and the [spawned](AppHandle::spawn) tasks end. After [`grace`](App::grace), those that are
    ///    left are dropped. That loses no adopted value.
    /// 3. The reaper cleans up what is left, and is closed.
    /// 4. At the [`deadline`](App::deadline), the reaper [abandons](Reaper::abandon) the rest.
    ///
    /// A task of `tokio::spawn` is not a task of the application. Step 3 waits for the guards that such a task
    /// holds and those that it adopts meanwhile, but it must not adopt after that: the reaper is closed then. The
    /// connections of axum are such tasks, and `with_graceful_shutdown` awaits them in step 2.
    ///
    /// From the stop on, a report each second goes to the standard error: which tasks still run, and which
    /// values are not cleaned up yet.
    ///
    /// The cleanups of orphans have tasks of their own on the runtime. So neither a body that is busy nor
    /// a cleanup that blocks its thread delays the others, if the runtime has several threads. A body or a
    /// task that never yields cannot be dropped; on a runtime with one thread, it also delays the signals.
    ///
    /// # Signals
    ///
    /// The first signal stops the application. If it is stopping already, it does nothing. The second signal
    /// goes to step 4 at once, and a third one ends the process. If both arrive at nearly the same time, the
    /// system may deliver two signals of one kind as one.
    ///
    /// While no application runs, SIGINT and SIGTERM end the process, as if they had no handler. That is true
    /// also after the first application, for the rest of the process. A program that handles these signals by
    /// other means, too, must use [`without_signals`](App::without_signals): an ended application would end the
    /// process beside them. On systems without Unix signals, only Ctrl-C is handled, and it has no
    /// effect after the first application has ended.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe. If the future is dropped after its first poll, the body and the spawned tasks are
    /// dropped, and the runtime cleans up what they had adopted, but nobody waits for that. So the
    /// [`hook`](crate::hook) is told that the reaper was forgotten; the default hook panics.
    ///
    /// # Panics
    ///
    /// Resumes a panic of `body`, after everything has ended. What else went wrong is printed before that.
    ///
    /// Panics if it is polled outside a tokio runtime with its drivers for time and I/O (`enable_all`), or
    /// if the system refuses to handle the signals.
    #[track_caller]
    pub fn run<R, E>(
        self,
        body: impl AsyncFnOnce(AppHandle) -> Result<R, E>,
    ) -> impl Future<Output = Ended<R, E>> {
        let origin = Origin::here();
        async move {
            // Panics without timers. In the conductor it would end only that task, and nothing would stop the body.
            drop(sleep(Duration::ZERO));
            let signals = self.handles_signals.then(Signals::listen);
            let reaper: AsyncDropGuard<Reaper, Checked> = Reaper::with_origin(origin);
            let running = tokio::spawn(reaper.run_with(|cleanup| drop(tokio::spawn(cleanup))));
            let app = AppHandle::new(reaper.handle());
            let _dropped = app.end_on_drop();
            let conductor =
                AbortOnDropHandle::new(tokio::spawn(self.conduct(app.clone(), signals)));

            // Also catches a panic of a body that is dropped after the grace period.
            let for_body = app.clone();
            let body = async move { body(for_body).await };
            let body = catch(app.shared.aborting.run_until_cancelled(body)).await;

            app.stop();
            app.shared.end_body();
            let tasks = app.shared.tasks.wait();
            if app.shared.abandoning.run_until_cancelled(tasks).await.is_none() {
                let _late = timeout(MOMENT, app.shared.tasks.wait()).await;
            }
            // A task that is spawned from now on is dropped without a poll.
            app.shared.aborting.cancel();
            // Drained before it is closed: a task that is not ours may still adopt.
            let drained = app.shared.abandoning.run_until_cancelled(reaper.drain()).await;
            let mut report = Reaper::shutdown(reaper, app.shared.abandoning.cancelled()).await;
            if let Some(drained) = drained {
                report.put_before(drained);
            }

            // Wait for our own tasks: afterwards, the runtime has none of them, and signals are as before.
            if report.undecided == 0 {
                let _ended = running.await;
            }
            conductor.abort();
            let _aborted = conductor.await;

            match body {
                Ok(body) => app.shared.ended(body, report),
                Err(payload) => {
                    let rest = app.shared.ended::<(), String>(Some(Ok(())), report);
                    if let Err(rest) = rest.into_result() {
                        print(format_args!("livedrop: beside the panic of the body:\n{rest}"));
                    }
                    resume_unwind(payload)
                }
            }
        }
    }

    /// Turns signals and time into the steps of the end.
    async fn conduct(self, app: AppHandle, signals: Option<Signals>) {
        let shared = &app.shared;
        let by_time = async {
            app.stopping().await;
            let grace = self.grace.min(self.deadline);
            sleep(grace).await;
            shared.aborting.cancel();
            sleep(self.deadline.saturating_sub(grace)).await;
            shared.abandoning.cancel();
        };
        let by_signal = async {
            let Some(mut signals) = signals else { pending().await };
            signals.next().await;
            shared.note_signal();
            app.stop();
            signals.next().await;
            shared.aborting.cancel();
            shared.abandoning.cancel();
            // The signals are dropped here, so a third one ends the process.
        };
        let prints = async {
            app.stopping().await;
            print_what_is_left(&app).await;
        };
        // The printing ends when `run` aborts this task.
        join3(by_time, by_signal, prints).await;
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

async fn print_what_is_left(app: &AppHandle) {
    loop {
        sleep(PRINT_EVERY).await;
        if let Some(left) = app.what_is_left() {
            print(format_args!("livedrop: {left}"));
        }
    }
}
