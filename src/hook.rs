//! The hook: the function that the library calls for failures that it cannot return to a caller.
//!
//! There are four kinds, all an [`Unhandled`]: a guard is dropped although it still owes its cleanup; the
//! cleanup of an orphan fails, which has no caller; a task of an application fails; or an error is
//! suppressed because the caller already gets another one or was cancelled. The default hook, [`panic()`],
//! panics on the first kind and prints a line on the others.
//!
//! [`set`] replaces the hook of the process and [`take`] removes it, as
//! [`std::panic::set_hook`] and [`take_hook`](std::panic::take_hook) do. [`scoped`] replaces the
//! hook of the current thread as long as its guard lives, so that tests can run in parallel.
//!
//! The library never prints a guarded value: a report names its type and its creation site.
//! Errors are formatted by their `Debug`.
//!
//! With the feature `tracing`, the library also emits an event for every report: a warning for a
//! suppressed error, an error for everything else. Its fields are `type_name`, and, as far as the report
//! has them, `created_at`, `cause`, `label` and `error`. The event of a failed task has the fields
//! `spawned_at` and `error`.
//!
//! # Panics
//!
//! A hook may panic. If the thread is already panicking, the library catches that second panic and
//! drops it. So no hook can abort a process that is unwinding.
//!
//! # Examples
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! use livedrop::hook::{self, Unhandled};
//!
//! static LOST: AtomicUsize = AtomicUsize::new(0);
//!
//! // In production a leak may be better than a panic: count it and log it.
//! hook::set(|unhandled| {
//!     if let Unhandled::Forgotten { .. } = unhandled {
//!         LOST.fetch_add(1, Ordering::Relaxed);
//!     }
//!     hook::log(unhandled);
//! });
//! # let _ = hook::take();
//! ```

use std::cell::RefCell;
use std::fmt;
use std::panic::{Location, resume_unwind};
use std::rc::Rc;
use std::sync::{Arc, PoisonError, RwLock};

use crate::guard::Origin;
use crate::panic::{
    PanicPayload, caught, debug_text, drop_caught, drop_payload, for_each, message,
};
use crate::type_name;

/// A failure that the library cannot return to a caller.
///
/// Its `Display` is the message of [`panic()`], [`log`] and [`abort`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Unhandled<'a> {
    /// A guard was dropped although it still owed its cleanup.
    #[non_exhaustive]
    Forgotten {
        /// The type of its value without its module paths.
        type_name: &'a str,
        /// The place where the guard was created. `None` in a build without `debug_assertions` and
        /// without the feature `location`.
        created_at: Option<&'static Location<'static>>,
        /// The reason, as far as the library knows it.
        cause: Cause,
        /// The kind of the guard, which decides the remedy that the message advises.
        kind: GuardKind,
    },
    /// The cleanup of an orphan failed. It has no caller, so a [`Reaper`](crate::Reaper) tells the hook as
    /// soon as it happens. The [`Report`](crate::reaper::Report) has it, too.
    #[non_exhaustive]
    Failed {
        /// The type of the value without its module paths.
        type_name: &'a str,
        /// The place where the guard was created. `None` in a build without `debug_assertions` and
        /// without the feature `location`.
        created_at: Option<&'static Location<'static>>,
        /// The label of the handle that adopted it; see
        /// [`with_label`](crate::ReaperHandle::with_label).
        label: Option<&'a str>,
        /// The error, formatted by its `Debug`, or the message of the panic.
        message: &'a str,
    },
    /// A task of an application failed. The application goes on, so its handle, `app::AppHandle`, tells the hook
    /// as soon as it happens. The result of the application, `app::Ended`, has it, too.
    #[non_exhaustive]
    TaskFailed {
        /// The place where the task was spawned.
        spawned_at: &'static Location<'static>,
        /// What happened to the task, as in `app::TaskFailure`.
        message: &'a str,
    },
    /// An error or a panic that no caller gets: the caller got another one, or was cancelled.
    #[non_exhaustive]
    Suppressed {
        /// The type of the guarded value without its module paths.
        type_name: &'a str,
        /// The error, or the message of a panic.
        error: &'a dyn fmt::Debug,
        /// What failed.
        source: Source,
    },
}

/// The kind of a guard that was dropped without its cleanup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GuardKind {
    /// A guard that no reaper has adopted.
    Plain,
    /// An adopted guard whose reaper had been closed before it adopted the guard, or is gone.
    WithoutReaper,
    /// The guard of a [`Reaper`](crate::Reaper) itself.
    OfReaper,
}

/// The part that failed with a [`Suppressed`](Unhandled::Suppressed) error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The cleanup of the value.
    Cleanup,
    /// The body that used the value. The cleanup after it was cancelled, so nobody resumes its panic.
    Body,
}

/// The reason why a guard was dropped without its cleanup, as far as the library knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// `async_drop` did not begin: either the code does not await it, or the task was cancelled
    /// before it did. A guard cannot distinguish the two.
    Forgotten,
    /// The future of `with_async_drop` or `bracket` was dropped while its body ran.
    CancelledInBody,
    /// The future of the cleanup was dropped before it was ready.
    CancelledInCleanup,
    /// The thread was panicking, and the unwinding dropped the guard.
    Unwinding,
    /// The reaper of the guard was dropped before it had cleaned up the value.
    ReaperGone,
}

impl fmt::Display for Unhandled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unhandled::Forgotten { type_name, created_at, cause, kind } => {
                match cause {
                    Cause::Forgotten => write!(f, "Forgot to call async_drop on {type_name}")?,
                    Cause::CancelledInBody => {
                        write!(f, "the body was cancelled before async_drop on {type_name}")?;
                    }
                    Cause::CancelledInCleanup => {
                        write!(f, "async_drop on {type_name} was cancelled before it finished")?;
                    }
                    Cause::Unwinding => write!(f, "{type_name} was dropped without its cleanup")?,
                    Cause::ReaperGone => {
                        write!(f, "the reaper was dropped before it had cleaned up {type_name}")?;
                    }
                }
                write_site(f, *created_at)?;
                f.write_str(match (cause, kind) {
                    (Cause::Unwinding, _) => ", because the thread was panicking",
                    (Cause::ReaperGone, _) => {
                        "\nAwait the reaper's `async_drop`, or `Reaper::shutdown` with a deadline."
                    }
                    (_, GuardKind::WithoutReaper) => {
                        "\nIts reaper had been closed or dropped, so nothing else cleans up the \
                         value. End the reaper after the code that adopts, or use `try_adopt` and \
                         `try_acquire`, which a closed reaper refuses."
                    }
                    (_, GuardKind::OfReaper) => {
                        "\nNobody waits for its orphans any more, and without a `run` they are lost. \
                         Await its `async_drop` on every path, after the code that adopts has \
                         ended. `Reaper::shutdown` does that with a deadline, and names what it \
                         abandons."
                    }
                    (Cause::Forgotten, GuardKind::Plain) => {
                        "\nEither the code on this path does not await `async_drop`, or the task \
                         was cancelled: a guard cannot distinguish the two. `with_async_drop` \
                         awaits it on every path. If the task may be cancelled, use \
                         `Reaper::adopt`: the reaper then cleans up the value."
                    }
                    (Cause::CancelledInBody | Cause::CancelledInCleanup, GuardKind::Plain) => {
                        "\nA timeout, a `select!` or an aborted task has dropped its future. If \
                         that may happen, use `Reaper::adopt`: the reaper then cleans up the \
                         value."
                    }
                })
            }
            Unhandled::Failed { type_name, created_at, label, message } => {
                write!(f, "the reaper could not clean up {type_name}")?;
                if let Some(label) = label {
                    write!(f, " {label:?}")?;
                }
                write_site(f, *created_at)?;
                write!(f, ": {}", message.replace('\n', " "))
            }
            Unhandled::TaskFailed { spawned_at, message } => {
                let message = message.replace('\n', " ");
                write!(f, "the task spawned at {spawned_at} {message}")
            }
            Unhandled::Suppressed { type_name, error, source } => {
                match source {
                    Source::Cleanup => write!(f, "cleanup of {type_name} failed as well: ")?,
                    Source::Body => write!(f, "the body that used {type_name} failed as well: ")?,
                }
                // Keep the report on one line, even if the error's `Debug` has line breaks.
                f.write_str(&debug_text(error).replace('\n', " "))
            }
        }
    }
}

fn write_site(
    f: &mut fmt::Formatter<'_>,
    created_at: Option<&'static Location<'static>>,
) -> fmt::Result {
    match created_at {
        Some(at) => write!(f, " (created at {at})"),
        None => Ok(()),
    }
}

type Shared = Arc<dyn Fn(&Unhandled<'_>) + Send + Sync>;
type Local = Rc<dyn Fn(&Unhandled<'_>)>;

static HOOK: RwLock<Option<Shared>> = RwLock::new(None);

thread_local! {
    /// The hooks of the thread. The last one is called.
    static LOCAL: RefCell<Vec<Local>> = const { RefCell::new(Vec::new()) };
}

/// Sets the hook of the process.
pub fn set(hook: impl Fn(&Unhandled<'_>) + Send + Sync + 'static) {
    replace(Some(Arc::new(hook)));
}

/// Removes the hook of the process and returns it. Then [`panic()`] is the hook again.
///
/// If no hook was set, this returns [`panic()`].
#[must_use = "this returns the previous hook; to drop it, write `drop(hook::take())`"]
pub fn take() -> Box<dyn Fn(&Unhandled<'_>) + Send + Sync> {
    match replace(None) {
        Some(hook) => Box::new(move |unhandled| hook(unhandled)),
        None => Box::new(panic),
    }
}

fn replace(hook: Option<Shared>) -> Option<Shared> {
    // Return the old hook, so that it is dropped after the lock: its `Drop` may call this module.
    std::mem::replace(&mut *HOOK.write().unwrap_or_else(PoisonError::into_inner), hook)
}

/// Sets the hook of the current thread until the returned [`ScopedHook`] is dropped.
///
/// On this thread it replaces the hook of the process. If there are several, the newest one is called. They
/// may be dropped in any order.
///
/// # Examples
///
/// ```
/// use livedrop::hook;
///
/// let quiet = hook::scoped(|_| {});
/// // A guard that is forgotten here, on this thread, is not reported.
/// drop(quiet);
/// ```
pub fn scoped(hook: impl Fn(&Unhandled<'_>) + 'static) -> ScopedHook {
    let hook: Local = Rc::new(hook);
    LOCAL.with(|local| local.borrow_mut().push(Rc::clone(&hook)));
    ScopedHook { hook: Some(hook) }
}

/// Removes its hook from the thread when it is dropped. Returned by [`scoped`].
#[must_use = "dropping this removes the hook at once"]
pub struct ScopedHook {
    /// `None` once it was dropped.
    hook: Option<Local>,
}

impl fmt::Debug for ScopedHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedHook").finish_non_exhaustive()
    }
}

impl Drop for ScopedHook {
    fn drop(&mut self) {
        let Some(hook) = self.hook.take() else { return };
        // If the thread is ending, its locals may be gone. Then there is nothing to remove.
        let _ =
            LOCAL.try_with(|local| local.borrow_mut().retain(|other| !Rc::ptr_eq(other, &hook)));
        // The `Drop` of what the hook captured may panic.
        for_each(std::iter::once(hook), drop);
    }
}

/// The default hook: panics on [`Unhandled::Forgotten`], and prints a line on everything else.
///
/// If the thread is already panicking, it always prints a line.
///
/// # Panics
///
/// Panics on `Forgotten`, unless the thread is already panicking.
pub fn panic(unhandled: &Unhandled<'_>) {
    match unhandled {
        Unhandled::Forgotten { .. } if !std::thread::panicking() => panic!("{unhandled}"),
        _ => log(unhandled),
    }
}

/// A hook that prints to the standard error. A forgotten guard is a leak then, not a panic.
pub fn log(unhandled: &Unhandled<'_>) {
    // `eprintln!` panics if the standard error is closed.
    caught(|| eprintln!("livedrop: {unhandled}")).unwrap_or_else(drop_payload);
}

/// A hook that prints to the standard error, and aborts the process on [`Unhandled::Forgotten`].
pub fn abort(unhandled: &Unhandled<'_>) {
    log(unhandled);
    if let Unhandled::Forgotten { .. } = unhandled {
        std::process::abort();
    }
}

/// Reports that a value was lost without its cleanup.
#[cold]
pub(crate) fn report_lost<T>(origin: Origin<T>, cause: Cause) {
    // The full names, because `T` need not be `'static`, so it has no `TypeId`.
    let is_reaper = std::any::type_name::<T>() == std::any::type_name::<crate::Reaper>();
    let kind = if is_reaper { GuardKind::OfReaper } else { GuardKind::Plain };
    report_forgotten(&type_name::of::<T>(), origin.created_at(), cause, kind);
}

/// Reports that an adopted value was lost, because its reaper is closed or gone.
#[cold]
pub(crate) fn report_lost_adopted(
    type_name: &str,
    created_at: Option<&'static Location<'static>>,
    cause: Cause,
) {
    report_forgotten(type_name, created_at, cause, GuardKind::WithoutReaper);
}

fn report_forgotten(
    type_name: &str,
    created_at: Option<&'static Location<'static>>,
    cause: Cause,
    kind: GuardKind,
) {
    let cause = if std::thread::panicking() { Cause::Unwinding } else { cause };
    call(&Unhandled::Forgotten { type_name, created_at, cause, kind });
}

/// Reports a failed cleanup of an orphan.
#[cold]
pub(crate) fn report_failed(
    type_name: &str,
    created_at: Option<&'static Location<'static>>,
    label: Option<&str>,
    message: &str,
) {
    call(&Unhandled::Failed { type_name, created_at, label, message });
}

/// Reports a failed task of an application. A panic of the hook ends here: the application goes on.
#[cfg(feature = "app")]
#[cold]
pub(crate) fn report_task(spawned_at: &'static Location<'static>, message: &str) {
    caught(|| call(&Unhandled::TaskFailed { spawned_at, message })).unwrap_or_else(drop_payload);
}

/// Reports an error that is not returned to a caller, and drops it.
#[cold]
pub(crate) fn report_suppressed<T>(error: impl fmt::Debug) {
    let type_name = &type_name::of::<T>();
    let source = Source::Cleanup;
    let called = caught(|| call(&Unhandled::Suppressed { type_name, error: &error, source }));
    // Drop the error before the panic of the hook is resumed: if its `Drop` panicked during that
    // unwinding, the process would abort.
    drop_caught(error);
    if let Err(payload) = called {
        resume_unwind(payload);
    }
}

/// Reports a panic of the cleanup of a `T` that is not resumed.
#[cold]
pub(crate) fn report_panic<T>(payload: PanicPayload) {
    report_payload(&type_name::of::<T>(), Source::Cleanup, payload);
}

/// Reports a panic of a body that is not resumed, because the cleanup after it was cancelled.
#[cold]
pub(crate) fn report_body_panic(type_name: &str, payload: PanicPayload) {
    report_payload(type_name, Source::Body, payload);
}

/// Catches a panic of the hook: it must not take the place of another panic.
fn report_payload(type_name: &str, source: Source, payload: PanicPayload) {
    let called = caught(|| {
        call(&Unhandled::Suppressed {
            type_name,
            error: &format_args!("panicked: {}", message(&payload)),
            source,
        });
    });
    drop_payload(payload);
    called.unwrap_or_else(drop_payload);
}

/// Calls the hook. If the thread is panicking, this catches a panic of the hook.
fn call(unhandled: &Unhandled<'_>) {
    if std::thread::panicking() {
        caught(|| call_hook(unhandled)).unwrap_or_else(drop_payload);
    } else {
        call_hook(unhandled);
    }
}

/// Calls the hook of the thread, or else the hook of the process.
fn call_hook(unhandled: &Unhandled<'_>) {
    // The subscriber is foreign code, too. If it panics, the hook is still called.
    #[cfg(feature = "tracing")]
    return for_each([emit, call_installed].into_iter(), |call| call(unhandled));
    #[cfg(not(feature = "tracing"))]
    call_installed(unhandled);
}

fn call_installed(unhandled: &Unhandled<'_>) {
    // Clone the hook, so that nothing is borrowed or locked during the call: a hook may set hooks.
    let local = LOCAL.try_with(|local| local.borrow().last().cloned()).ok().flatten();
    if let Some(hook) = local {
        return hook(unhandled);
    }
    let hook = HOOK.read().unwrap_or_else(PoisonError::into_inner).clone();
    match hook {
        Some(hook) => hook(unhandled),
        None => panic(unhandled),
    }
}

/// Emits an event for the report, independently of the hook.
#[cfg(feature = "tracing")]
fn emit(unhandled: &Unhandled<'_>) {
    match unhandled {
        Unhandled::Forgotten { type_name, created_at, cause, .. } => tracing::error!(
            type_name,
            created_at = created_at.map(tracing::field::display),
            ?cause,
            "{unhandled}"
        ),
        Unhandled::Failed { type_name, created_at, label, message } => tracing::error!(
            type_name,
            created_at = created_at.map(tracing::field::display),
            label,
            error = message,
            "{unhandled}"
        ),
        Unhandled::TaskFailed { spawned_at, message } => {
            tracing::error!(%spawned_at, error = message, "{unhandled}");
        }
        Unhandled::Suppressed { type_name, error, .. } => {
            tracing::warn!(type_name, error = %debug_text(error), "{unhandled}");
        }
    }
}
