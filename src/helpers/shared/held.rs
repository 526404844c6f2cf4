//! What a handle holds of the future: one place among others, or its value at the end.

use std::panic::resume_unwind;

use futures::future::Shared;

use super::catching::{Catching, Value};
use crate::sync::Arc;
use crate::{AsyncDropArc, AsyncDropGuard, State};

pub(super) enum Held<O, Fut, S: State>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    Task(Arc<Task<O, Fut, S>>),
    /// This was the last handle, and the cleanup of the value has begun.
    Last(AsyncDropArc<O, S>),
    Gone,
}

/// What the handles have in common. As many handles there are as own this: a waiter borrows its
/// handle, and owns no more than its place in the queue of the future.
pub(super) struct Task<O, Fut, S: State>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    pub(super) future: Shared<Catching<O, Fut, S>>,
    pub(super) value: Value<O, S>,
}

impl<O, Fut, S: State> Held<O, Fut, S>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    /// Lets go of the future, or, if this is the last handle, awaits it and takes over its value.
    ///
    /// # Panics
    ///
    /// If the future does, since nobody else is there to be told.
    pub(super) fn let_go(&mut self) -> impl Future<Output = ()> {
        async move {
            let Some(task) = self.take_task() else { return };
            // Gives it to exactly one of all the handles.
            let Some(task) = Arc::into_inner(task) else { return };
            let panicked_before = matches!(task.future.peek(), Some(Err(_)));
            let future = task.future.clone();
            // If this is cancelled, the handle is as it was before.
            *self = Held::Task(Arc::new(task));
            let result = future.await;
            let Some(task) = self.take_task() else { return };
            match result {
                Ok(()) => {
                    let value = task.value.get().expect(LEFT);
                    *self = Held::Last(AsyncDropArc::from_shared(Arc::clone(value)));
                }
                Err(_) if panicked_before => {}
                Err(panicked) => resume_unwind(Box::new(panicked.to_string())),
            }
        }
    }

    fn take_task(&mut self) -> Option<Arc<Task<O, Fut, S>>> {
        match std::mem::replace(self, Held::Gone) {
            Held::Task(task) => Some(task),
            other => {
                *self = other;
                None
            }
        }
    }
}

pub(super) const LEFT: &str = "a future that ended without a panic has left its value";
