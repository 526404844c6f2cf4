//! The guarantee of `with_async_drop`, by hand: the cleanup runs after the body, whether the body
//! returns or panics. A panic takes precedence over errors, and the body's error over the cleanup's.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::thread;

use futures::FutureExt;

use super::checked::Guard;

pub(crate) async fn with<const N: u64, R, E: From<Infallible>>(
    mut guard: Guard<N>,
    body: impl AsyncFnOnce(&mut Guard<N>) -> Result<R, E>,
) -> Result<R, E> {
    let body = AssertUnwindSafe(async { body(&mut guard).await }).catch_unwind().await;
    // Caught: otherwise a panic of the cleanup would replace the panic of the body.
    let closed = guard.close_caught().await;
    combine(body, closed)
}

pub(crate) fn combine<R, E: From<Infallible>>(
    body: thread::Result<Result<R, E>>,
    closed: thread::Result<Result<(), Infallible>>,
) -> Result<R, E> {
    match (body, closed) {
        (Err(payload), _) | (Ok(_), Err(payload)) => resume_unwind(payload),
        (Ok(Ok(output)), Ok(closed)) => closed.map(|()| output).map_err(E::from),
        (Ok(Err(error)), Ok(closed)) => {
            if let Err(suppressed) = closed {
                eprintln!("cleanup of Value failed as well: {suppressed}");
            }
            Err(error)
        }
    }
}
