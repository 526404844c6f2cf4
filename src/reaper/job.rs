//! A running cleanup that does not tell its type.

use std::any::Any;
use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Failure;
use crate::CanAdopt;
use crate::caught::{self, Panicked, discard};
use crate::cleaned::end_with;

/// A cleanup that owns its value: the value is dropped before it is ready.
pub(crate) type Cleanup = Pin<Box<dyn Future<Output = Result<(), Erased>> + Send>>;

/// An error that does not tell its type, and how to show it.
pub(crate) struct Erased {
    error: Box<dyn Any + Send>,
    show: fn(&(dyn Any + Send)) -> String,
}

impl Erased {
    fn new<E: Debug + Send + 'static>(error: E) -> Self {
        let show = |error: &(dyn Any + Send)| {
            let error = error.downcast_ref::<E>().expect("it was made of one");
            format!("{error:?}")
        };
        Self { error: Box::new(error), show }
    }

    /// The error that this was made of.
    pub(crate) fn into_error<E: 'static>(self) -> E {
        *self.error.downcast().expect("the error type is that of the value")
    }

    /// For the report.
    pub(crate) fn into_failure(self) -> Failure {
        Failure::new((self.show)(&*self.error), Some(self.error))
    }
}

/// Begins the cleanup of `value`, as soon as it is polled.
pub(crate) fn start<T: CanAdopt>(mut value: T) -> Cleanup {
    Box::pin(async move {
        let result = value.async_drop_unboxed().await;
        end_with::<T>(result, || drop(value)).map_err(Erased::new)
    })
}

/// The cleanup of an orphan. Its `poll` does not panic.
pub(super) struct Job {
    number: usize,
    /// Away after a panic.
    cleanup: Option<Cleanup>,
}

/// The end of such a cleanup.
pub(super) struct Ended {
    pub(super) number: usize,
    /// Boxed: few fail, and this is moved for every one.
    pub(super) failure: Option<Box<Failure>>,
}

impl Job {
    pub(super) fn new(number: usize, cleanup: Cleanup) -> Self {
        Self { number, cleanup: Some(cleanup) }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Drops the cleanup where it is.
    pub(super) fn give_up(mut self) -> Option<Box<Failure>> {
        let cleanup = self.cleanup.take();
        caught(|| drop(cleanup)).err()
    }
}

impl Future for Job {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let number = self.number;
        let Some(cleanup) = &mut self.cleanup else {
            return Poll::Ready(Ended { number, failure: None });
        };
        // To show the error and to drop the value is code of a user, too.
        let poll = caught(|| {
            let result = ready!(cleanup.as_mut().poll(cx));
            Poll::Ready(result.map_err(|error| Box::new(error.into_failure())).err())
        });
        let failure = match poll {
            Ok(poll) => ready!(poll),
            Err(failure) => {
                let cleanup = self.cleanup.take();
                let _second = caught(|| drop(cleanup));
                Some(failure)
            }
        };
        Poll::Ready(Ended { number, failure })
    }
}

fn caught<R>(f: impl FnOnce() -> R) -> Result<R, Box<Failure>> {
    caught::caught(f).map_err(|payload| {
        let message = format!("{:?}", Panicked(&payload));
        discard(payload);
        Box::new(Failure::new(message, None))
    })
}
