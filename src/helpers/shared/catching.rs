//! The future that the handles share: that of the user, without its panics.

use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use super::task_panicked::TaskPanicked;
use crate::sync::Arc;
use crate::{AsyncDropGuard, State, caught};

/// Where the future leaves its value. That is not its output: an output is kept by whatever
/// keeps the future, and a waiter that is leaked must not keep the value from its cleanup.
pub(super) type Value<O, S> = std::sync::Arc<OnceLock<Arc<AsyncDropGuard<O, S>>>>;

/// Leaves the value of a future where it is to go, and catches its panic in its `poll`.
pub(super) struct Catching<O, Fut, S: State> {
    /// Boxed, so that it is pinned wherever this is moved. `None` once it is over.
    running: Option<Pin<Box<Fut>>>,
    value: Value<O, S>,
}

impl<O, Fut, S: State> Catching<O, Fut, S> {
    pub(super) fn new(future: Fut, value: Value<O, S>) -> Self {
        Self { running: Some(Box::pin(future)), value }
    }

    pub(super) fn new_ready(guard: AsyncDropGuard<O, S>, value: Value<O, S>) -> Self {
        value.get_or_init(|| Arc::new(guard));
        Self { running: None, value }
    }
}

impl<O, Fut, S: State> Future for Catching<O, Fut, S>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    type Output = Result<(), TaskPanicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.running else {
            return Poll::Ready(Ok(()));
        };
        let result = match caught::caught(|| future.as_mut().poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(guard)) => {
                self.value.get_or_init(|| Arc::new(guard));
                Ok(())
            }
            Err(payload) => Err(TaskPanicked::new(payload)),
        };
        let over = self.running.take();
        // What is left of it may panic when it is dropped. The value is there all the same.
        if let Err(payload) = caught::caught(|| drop(over)) {
            caught::suppress_panic::<O>(payload);
        }
        Poll::Ready(result)
    }
}
