//! The guarantee of `scope` that can be had by hand: whatever the body returns, and if it panics,
//! the by-value cleanup of the twin of `Live` runs behind it, once.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

use super::live::Guard;

pub(crate) async fn scope<R>(
    mut guard: Guard,
    body: impl AsyncFnOnce(&mut Guard) -> R,
) -> (Result<(), Infallible>, R) {
    // Called inside: a body may panic before it has returned its future.
    let body = AssertUnwindSafe(async { body(&mut guard).await }).catch_unwind().await;
    let closed = guard.close().await;
    match body {
        Ok(output) => (closed, output),
        Err(payload) => resume_unwind(payload),
    }
}
