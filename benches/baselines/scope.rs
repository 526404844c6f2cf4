//! The run-time part of the guarantee of `scope`, by hand: the by-value cleanup of a `Live` baseline
//! runs once after the body, whether the body returns or panics.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

use super::Close;

pub(crate) async fn scope<G: Close, R>(
    mut guard: G,
    body: impl AsyncFnOnce(&mut G) -> R,
) -> (Result<(), Infallible>, R) {
    // Called inside the caught block: a body may panic before it returns its future.
    let body = AssertUnwindSafe(async { body(&mut guard).await }).catch_unwind().await;
    let closed = guard.close().await;
    match body {
        Ok(output) => (closed, output),
        Err(payload) => resume_unwind(payload),
    }
}
