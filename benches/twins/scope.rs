//! The guarantee of `scope` that can be had by hand: whatever the body returns, and if it panics,
//! the by-value cleanup of a twin of `Live` runs behind it, once.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

use super::Close;

pub(crate) async fn scope<G: Close, R>(
    mut guard: G,
    body: impl AsyncFnOnce(&mut G) -> R,
) -> (Result<(), Infallible>, R) {
    // Called inside: a body may panic before it has returned its future.
    let body = AssertUnwindSafe(async { body(&mut guard).await }).catch_unwind().await;
    let closed = guard.close().await;
    match body {
        Ok(output) => (closed, output),
        Err(payload) => resume_unwind(payload),
    }
}
