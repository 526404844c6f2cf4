//! Catches panics, drops their payloads, and reads their messages.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use futures::FutureExt;

pub(crate) type PanicPayload = Box<dyn Any + Send>;

/// Runs `f`, and returns its panic.
#[inline]
pub(crate) fn caught<R>(f: impl FnOnce() -> R) -> std::thread::Result<R> {
    catch_unwind(AssertUnwindSafe(f))
}

/// Awaits `future`, and returns its panic.
// Not an `async fn`: that would hold the future twice.
#[inline]
pub fn catch<R>(future: impl Future<Output = R>) -> impl Future<Output = std::thread::Result<R>> {
    AssertUnwindSafe(future).catch_unwind()
}

/// Drops the payload of a panic that ends here. If its `Drop` panics, that payload is leaked.
#[cold]
pub(crate) fn drop_payload(payload: PanicPayload) {
    if let Err(second) = caught(|| drop(payload)) {
        std::mem::forget(second);
    }
}

/// Drops `value`, and ends a panic of its `Drop`.
pub(crate) fn drop_caught<T>(value: T) {
    if let Err(payload) = caught(|| drop(value)) {
        drop_payload(payload);
    }
}

/// Calls `f` with every item, even if a call panics. Resumes the first panic, unless the thread is
/// panicking: a second panic would abort the process.
pub(crate) fn for_each<I: Iterator>(items: I, mut f: impl FnMut(I::Item)) {
    let mut first_panic = None;
    for item in items {
        if let Err(payload) = caught(|| f(item)) {
            match first_panic {
                None => first_panic = Some(payload),
                Some(_) => drop_payload(payload),
            }
        }
    }
    match first_panic {
        Some(payload) if std::thread::panicking() => drop_payload(payload),
        Some(payload) => resume_unwind(payload),
        None => {}
    }
}

/// Formats `value` by its `Debug`. If that panics, the text contains the message of the panic.
pub(crate) fn debug_text(value: &dyn Debug) -> String {
    caught(|| format!("{value:?}")).unwrap_or_else(|payload| {
        let text = format!("its `Debug` panicked: {}", message(&payload));
        drop_payload(payload);
        text
    })
}

/// Drops every item, in order. If one panics, the others are dropped while that panic unwinds, and their own
/// panics end here: a second one would abort the process.
pub(crate) fn drop_each<I: Iterator>(items: I) {
    struct Rest<I: Iterator>(I);

    impl<I: Iterator> Drop for Rest<I> {
        fn drop(&mut self) {
            (&mut self.0).for_each(drop_caught);
        }
    }

    let mut rest = Rest(items);
    if !std::thread::panicking() {
        (&mut rest.0).for_each(drop);
    }
}

/// Returns the message of a panic.
pub(crate) fn message(payload: &PanicPayload) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "with a payload that is no text"
    }
}
