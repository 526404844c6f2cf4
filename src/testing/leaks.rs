//! `leaks`: runs a test, and fails if something is not cleaned up at its end.

use std::cell::RefCell;
use std::fmt::Write;
use std::future::poll_fn;
use std::panic::{Location, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::thread;

use crate::hook::{self, ScopedHook};
use crate::panic::{catch, caught, drop_caught, drop_payload};
use crate::reaper::Pending;
use crate::{AsyncDropGuard, Reaper, ReaperHandle};

/// Runs `body` with a new reaper, and panics if anything is not cleaned up at the end.
///
/// The orphans of the reaper are cleaned up while the body runs, as by [`Reaper::run`]. When the body has ended,
/// with a value or with a panic, the future waits until no orphan is left. Then it panics with a list of
///
/// - each report to the [hook](crate::hook) in the meantime: a forgotten guard, a failed cleanup of an orphan,
///   a suppressed error;
/// - each adopted value that an owner still holds: a guard in a `static`, in the output of the body, in a task
///   that the test does not await, or one that was given to [`std::mem::forget`].
///
/// If the list is empty, it returns the output of the body. If the body has panicked, it prints the list, and
/// resumes that panic.
///
/// While the future exists, a forgotten guard does not panic on this thread: the list names it. To keep a
/// report that the test expects out of the list, set a [`hook::scoped`] in the body.
///
/// There is no time limit. If the cleanup of an orphan never ends, this does not end either. Put it into a
/// timeout to learn which one it is: if the future is dropped before its end, it panics with the list.
///
/// # Threads
///
/// The list has the reports of the thread that polls the future. In a current-thread runtime, these are the
/// reports of all tasks. In a multi-thread runtime, a guard that is forgotten on another thread is reported to
/// the hook of the process. By default that panics in its task, so await the task. The adopted values that are
/// still held are in the list on every runtime.
///
/// The future needs no runtime, and is not `Send`, because it sets the hook of its thread. If two run at the
/// same time on a thread, the later one has the reports of both.
///
/// # Panics
///
/// If the list is not empty. If the body panics.
///
/// # Examples
///
/// ```
/// use livedrop::testing::leaks;
/// use livedrop::with_async_drop;
/// # use std::io;
/// # use livedrop::{AsyncDropGuard, ReaperHandle};
/// # struct Connection;
/// # impl Connection {
/// #     async fn open() -> io::Result<AsyncDropGuard<Connection>> { Ok(AsyncDropGuard::new(Connection)) }
/// #     async fn ping(&mut self) -> io::Result<u32> { Ok(7) }
/// # }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
///
/// // #[tokio::test]
/// async fn answers_a_ping() {
///     let answer = leaks(async |reaper| {
///         let connection = reaper.acquire(Connection::open()).await?;
///         with_async_drop(connection, async |connection| connection.ping().await).await
///     });
///     assert_eq!(answer.await.unwrap(), 7);
/// }
/// # futures::executor::block_on(answers_a_ping());
/// ```
#[track_caller]
pub fn leaks<R>(body: impl AsyncFnOnce(ReaperHandle) -> R) -> impl Future<Output = R> {
    let name = format!("leaks ({})", Location::caller());
    async move {
        let watch = Watch::new(name);
        let reaper = watch.handle();
        let ended = watch.drive(async { body(reaper).await }).await;
        watch.end("", ended)
    }
}

/// A reaper, and the reports of the thread while it exists.
pub(super) struct Watch {
    /// Which function watches, and where it was called.
    name: String,
    /// `None` once it has ended.
    reaper: Option<AsyncDropGuard<Reaper>>,
    reports: Rc<RefCell<Vec<String>>>,
    _hook: ScopedHook,
}

impl Watch {
    pub(super) fn new(name: String) -> Self {
        let reports = Rc::<RefCell<Vec<String>>>::default();
        let sink = Rc::clone(&reports);
        let hook = hook::scoped(move |unhandled| {
            // The `Debug` of an error may call this hook.
            let text = unhandled.to_string();
            sink.borrow_mut().push(text);
        });
        Self { name, reaper: Some(Reaper::new()), reports, _hook: hook }
    }

    fn reaper(&self) -> &Reaper {
        self.reaper.as_ref().expect("only `end` and `drop` take the reaper")
    }

    pub(super) fn handle(&self) -> ReaperHandle {
        self.reaper().handle()
    }

    /// Polls the body and its orphans, until the body has ended and no orphan is left.
    pub(super) async fn drive<R>(&self, body: impl Future<Output = R>) -> thread::Result<R> {
        // No other driver exists, since only a `Reaper` makes one. So if this one has polled the last orphan, no
        // wake-up is missed.
        let mut run = self.reaper().run();
        let ended = {
            let mut body = pin!(catch(body));
            poll_fn(|cx| {
                let ended = body.as_mut().poll(cx);
                let _ = Pin::new(&mut run).poll(cx);
                ended
            })
            .await
        };
        poll_fn(|cx| {
            let _ = Pin::new(&mut run).poll(cx);
            if self.reaper().has_orphans() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        ended
    }

    /// Returns the output if the list is empty, and panics otherwise.
    pub(super) fn end<R>(mut self, what: &str, ended: thread::Result<R>) -> R {
        let list = self.list(what);
        match (ended, list) {
            (Ok(output), None) => output,
            (Ok(output), Some(list)) => {
                // If its `Drop` panicked during the unwinding, the process would abort.
                drop_caught(output);
                drop(self);
                panic!("{list}");
            }
            (Err(payload), list) => {
                if let Some(list) = list {
                    print(&list);
                }
                drop(self);
                resume_unwind(payload);
            }
        }
    }

    /// Ends the reaper. Returns the list unless it is empty. `what` stands after the name.
    fn list(&mut self, what: &str) -> Option<String> {
        let reaper = self.reaper.take()?;
        // Its failures are not read: each was reported to the hook when it happened.
        let abandoned = reaper.abandon().abandoned;
        drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
        let reports = self.reports.take();
        if reports.is_empty() && abandoned.is_empty() {
            return None;
        }
        let mut list = format!("{}{what}:", self.name);
        for item in reports.into_iter().chain(abandoned.iter().map(still)) {
            list.push_str("\n  ");
            list.push_str(&item.replace('\n', "\n    "));
        }
        Some(list)
    }
}

/// The watching future was dropped before its end.
impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(list) = self.list(", dropped before its end") {
            if thread::panicking() {
                print(&list);
            } else {
                panic!("{list}");
            }
        }
    }
}

fn print(list: &str) {
    // `eprintln!` panics if the standard error is closed.
    caught(|| eprintln!("{list}")).unwrap_or_else(drop_payload);
}

fn still(pending: &Pending) -> String {
    let mut text = format!("still {}: {}", pending.stage, pending.type_name);
    if let Some(label) = &pending.label {
        let _ = write!(text, " {label:?}");
    }
    if let Some(at) = pending.created_at {
        let _ = write!(text, " (created at {at})");
    }
    text
}
