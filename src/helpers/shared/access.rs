//! What can be seen of a shared future without awaiting it.

use std::fmt::{self, Debug};

use super::held::Held;
use super::{AsyncDropShared, TaskPanicked};
use crate::sync::Arc;
use crate::{AsyncDropGuard, Holds, State, type_name};

impl<O, Fut, S> AsyncDropShared<O, Fut, S>
where
    S: State,
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    /// The value, if the future is done.
    ///
    /// # Errors
    ///
    /// If the future panicked.
    ///
    /// # Panics
    ///
    /// If this was the last handle, and the cleanup of the value has begun.
    #[track_caller]
    #[must_use = "it only looks"]
    pub fn peek(&self) -> Option<Result<&O, TaskPanicked>>
    where
        S: Holds,
    {
        let task = self.task("peeked at");
        match task.value.get() {
            Some(value) => Some(Ok(value)),
            None => task.future.peek()?.clone().err().map(Err),
        }
    }

    /// Whether both are handles of the same future.
    ///
    /// `false` once the cleanup of the value has begun.
    #[must_use = "it only compares"]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        match (&this.held, &other.held) {
            (Held::Task(this), Held::Task(other)) => Arc::ptr_eq(this, other),
            _ => false,
        }
    }

    /// How many handles there are: a glimpse, since others may come and go meanwhile.
    ///
    /// 1 for the last handle once the cleanup of the value has begun. The handles of the value
    /// that [`get`](Self::get) has given are not among them.
    #[must_use = "it only counts"]
    pub fn strong_count(this: &Self) -> usize {
        match &this.held {
            Held::Task(task) => Arc::strong_count(task),
            Held::Last(_) => 1,
            Held::Gone => 0,
        }
    }
}

/// Shows the value, if there is one.
impl<O: Debug, Fut, S: Holds> Debug for AsyncDropShared<O, Fut, S>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = type_name::of::<O>();
        match &self.held {
            Held::Task(_) => match self.peek() {
                Some(Ok(value)) => value.fmt(f),
                Some(Err(_)) => write!(f, "<{name}: its future panicked>"),
                None => write!(f, "<{name}: not there yet>"),
            },
            _ => write!(f, "<{name}: cleanup has begun>"),
        }
    }
}
