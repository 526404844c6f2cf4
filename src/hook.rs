//! Where the library reports what nobody can be told by a `Result`.
//!
//! Two things have no caller to return to: a guard that is dropped although it still owes its
//! cleanup, and an error that is pushed aside by another one. Both are an [`Unhandled`], and
//! both go to the hook. The default, [`panic()`], panics on the first and prints a line on the
//! second.
//!
//! [`set`] replaces the hook of the process and [`take`] takes it away again, as
//! [`std::panic::set_hook`] and [`take_hook`](std::panic::take_hook) do. [`scoped`] replaces it
//! on the current thread for as long as its guard lives, which is what tests want that run in
//! parallel.
//!
//! The library never prints a guarded value: a report names its type and its creation site.
//! Errors are shown through their `Debug`.
//!
//! With the feature `tracing`, every report is an event as well: an error for a forgotten guard, a
//! warning for a suppressed error, with the fields `type_name`, `created_at` and `cause` or
//! `error`.
//!
//! # Panics
//!
//! A hook may panic. Where the thread is panicking already, that second panic is caught and
//! dropped, so that no hook can abort a process that was only unwinding.
//!
//! # Examples
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! use livedrop::hook::{self, Unhandled};
//!
//! static LOST: AtomicUsize = AtomicUsize::new(0);
//!
//! // In production a leak may be better than a panic: count it, and log.
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

use crate::panic::{PanicPayload, caught, drop_caught, drop_payload, message};
use crate::type_name;

/// What nobody could be told otherwise.
///
/// Its `Display` is the message that the ready-made hooks use.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Unhandled<'a> {
    /// A guard was dropped although it still owed its cleanup.
    #[non_exhaustive]
    Forgotten {
        /// The type of its value, without the paths.
        type_name: &'a str,
        /// Where the guard was created. Kept in builds with `debug_assertions` and with the
        /// feature `location`.
        created_at: Option<&'static Location<'static>>,
        /// What the library knows about why.
        cause: Cause,
    },
    /// An error was pushed aside by another one, which its caller got.
    #[non_exhaustive]
    Suppressed {
        /// The type of the value whose cleanup failed, without the paths.
        type_name: &'a str,
        /// The error, or the message of a panic.
        error: &'a dyn fmt::Debug,
    },
}

/// Why a guard was dropped without its cleanup, as far as the library can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// `async_drop` was never begun: it was forgotten, or the task that would have called it
    /// was cancelled. A guard cannot see the difference.
    Forgotten,
    /// The future of `with_async_drop` or `bracket` was dropped while its body ran.
    CancelledInBody,
    /// The future of the cleanup was dropped before it was ready.
    CancelledInCleanup,
    /// The thread was panicking: the guard was dragged along.
    Unwinding,
    /// It was left to a reaper that was dropped before it had finished.
    ReaperGone,
}

impl fmt::Display for Unhandled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unhandled::Forgotten { type_name, created_at, cause } => {
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
                if let Some(at) = created_at {
                    write!(f, " (created at {at})")?;
                }
                match cause {
                    Cause::Forgotten => f.write_str(
                        "\nEither no path to here awaits `async_drop`, or the task was cancelled; \
                         a guard cannot tell. `with_async_drop` awaits it on every path; a guard \
                         from `Reaper::adopt` survives a cancelled task, too.",
                    ),
                    Cause::CancelledInBody | Cause::CancelledInCleanup => f.write_str(
                        "\nIts future was dropped: by a timeout, a `select!` or an aborted task. A \
                         guard from `Reaper::adopt` survives that.",
                    ),
                    Cause::ReaperGone => f.write_str("\nAwait `drain` or `async_drop` on it."),
                    Cause::Unwinding => f.write_str(", as a consequence of the panic before"),
                }
            }
            Unhandled::Suppressed { type_name, error } => {
                write!(f, "cleanup of {type_name} failed as well: ")?;
                // One line, whatever the error's `Debug` makes of it.
                let error = format!("{error:?}");
                f.write_str(&error.replace('\n', " "))
            }
        }
    }
}

type Shared = Arc<dyn Fn(&Unhandled<'_>) + Send + Sync>;
type Local = Rc<dyn Fn(&Unhandled<'_>)>;

static HOOK: RwLock<Option<Shared>> = RwLock::new(None);

thread_local! {
    static LOCAL: RefCell<Option<Local>> = const { RefCell::new(None) };
}

/// Makes `hook` the hook of the process.
pub fn set(hook: impl Fn(&Unhandled<'_>) + Send + Sync + 'static) {
    replace(Some(Arc::new(hook)));
}

/// Takes the hook of the process away and returns it; [`panic()`] is the hook again.
///
/// Where none was set, the default is returned.
#[must_use = "the hook that was set is dropped otherwise; to only drop it, write `drop(hook::take())`"]
pub fn take() -> Box<dyn Fn(&Unhandled<'_>) + Send + Sync> {
    match replace(None) {
        Some(hook) => Box::new(move |unhandled| hook(unhandled)),
        None => Box::new(panic),
    }
}

fn replace(hook: Option<Shared>) -> Option<Shared> {
    // The old hook is dropped by the caller, after the lock: its `Drop` may use the hook.
    std::mem::replace(&mut *HOOK.write().unwrap_or_else(PoisonError::into_inner), hook)
}

/// Makes `hook` the hook of the current thread until the returned guard is dropped.
///
/// It goes before the hook of the process. Scopes nest: drop the inner one first.
///
/// # Examples
///
/// ```
/// use livedrop::hook;
///
/// let quiet = hook::scoped(|_| {});
/// // what is forgotten on this thread, here, is not reported
/// drop(quiet);
/// ```
pub fn scoped(hook: impl Fn(&Unhandled<'_>) + 'static) -> ScopedHook {
    let hook: Local = Rc::new(hook);
    ScopedHook { previous: LOCAL.with(|local| local.replace(Some(hook))) }
}

/// Puts back the hook that was the thread's before [`scoped`].
#[must_use = "the hook is the thread's only as long as this lives"]
pub struct ScopedHook {
    previous: Option<Local>,
}

impl fmt::Debug for ScopedHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedHook").finish_non_exhaustive()
    }
}

impl Drop for ScopedHook {
    fn drop(&mut self) {
        // Where the thread ends, and its locals are gone, there is nothing to put back.
        let _ended = LOCAL.try_with(|local| local.replace(self.previous.take()));
    }
}

/// The default hook: panics on [`Unhandled::Forgotten`], prints a line on
/// [`Unhandled::Suppressed`].
///
/// While the thread is panicking it prints a line instead.
///
/// # Panics
///
/// On `Forgotten`, unless the thread is panicking.
pub fn panic(unhandled: &Unhandled<'_>) {
    match unhandled {
        Unhandled::Forgotten { .. } if !std::thread::panicking() => panic!("{unhandled}"),
        _ => log(unhandled),
    }
}

/// Prints to the standard error, and goes on: a leak instead of a panic.
pub fn log(unhandled: &Unhandled<'_>) {
    // `eprintln!` panics where the standard error is closed.
    let _closed = caught(|| eprintln!("livedrop: {unhandled}"));
}

/// Prints to the standard error; aborts the process on [`Unhandled::Forgotten`].
pub fn abort(unhandled: &Unhandled<'_>) {
    log(unhandled);
    if let Unhandled::Forgotten { .. } = unhandled {
        std::process::abort();
    }
}

/// Reports that a value was lost without its cleanup.
#[cold]
pub(crate) fn report_lost(
    type_name: &str,
    created_at: Option<&'static Location<'static>>,
    cause: Cause,
) {
    let cause = if std::thread::panicking() { Cause::Unwinding } else { cause };
    call(&Unhandled::Forgotten { type_name, created_at, cause });
}

/// Reports an error that no caller gets, and drops it.
#[cold]
pub(crate) fn report_suppressed<T>(error: impl fmt::Debug) {
    let type_name = &type_name::of::<T>();
    let called = caught(|| call(&Unhandled::Suppressed { type_name, error: &error }));
    // Before the panic of a hook goes on: an error that panics in its `Drop` would abort then.
    drop_caught(error);
    if let Err(payload) = called {
        resume_unwind(payload);
    }
}

/// The same for a type of which only the name is left.
#[cold]
pub(crate) fn report_suppressed_of(type_name: &str, error: &dyn fmt::Debug) {
    call(&Unhandled::Suppressed { type_name, error });
}

/// Reports a panic of the cleanup of a `T` that no caller gets.
#[cold]
pub(crate) fn report_panic<T>(payload: PanicPayload) {
    report_payload::<T>("panicked", payload);
}

/// Reports a panic of a body that no caller gets, since the cleanup of its `T` was cancelled.
#[cold]
pub(crate) fn report_body_panic<T>(payload: PanicPayload) {
    report_payload::<T>("the body before it panicked", payload);
}

/// A panic of the hook ends here: it must not take the place of another panic.
fn report_payload<T>(what: &str, payload: PanicPayload) {
    let type_name = &type_name::of::<T>();
    let error = &format_args!("{what}: {}", message(&payload));
    let called = caught(|| call(&Unhandled::Suppressed { type_name, error }));
    drop_payload(payload);
    called.unwrap_or_else(drop_payload);
}

/// Reports every item, even if a report panics.
pub(crate) fn report_each<I: Iterator>(items: I, report: impl Fn(I::Item)) {
    let mut first_panic = None;
    for item in items {
        if let Err(payload) = caught(|| report(item)) {
            match first_panic {
                None => first_panic = Some(payload),
                Some(_) => drop_payload(payload),
            }
        }
    }
    if let Some(payload) = first_panic {
        resume_unwind(payload);
    }
}

/// Calls the thread's hook, or else the hook of the process. If the thread is panicking, a panic of
/// the hook ends here.
fn call(unhandled: &Unhandled<'_>) {
    if std::thread::panicking() {
        caught(|| call_hook(unhandled)).unwrap_or_else(drop_payload);
    } else {
        call_hook(unhandled);
    }
}

fn call_hook(unhandled: &Unhandled<'_>) {
    #[cfg(feature = "tracing")]
    emit(unhandled);
    // Both are called with nothing borrowed or locked: a hook may change hooks.
    let local = LOCAL.try_with(|local| local.borrow().clone()).ok().flatten();
    if let Some(hook) = local {
        return hook(unhandled);
    }
    let hook = HOOK.read().unwrap_or_else(PoisonError::into_inner).clone();
    match hook {
        Some(hook) => hook(unhandled),
        None => panic(unhandled),
    }
}

/// An event for what is reported, whatever the hook makes of it.
#[cfg(feature = "tracing")]
fn emit(unhandled: &Unhandled<'_>) {
    match unhandled {
        Unhandled::Forgotten { type_name, created_at, cause } => tracing::error!(
            type_name,
            created_at = created_at.map(tracing::field::display),
            ?cause,
            "{unhandled}"
        ),
        Unhandled::Suppressed { type_name, error } => {
            tracing::warn!(type_name, ?error, "{unhandled}");
        }
    }
}
