//! What a cleanup of several values has found so far: it goes on after errors and panics.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::panic::resume_unwind;

use crate::CleanupErrors;
use crate::caught::{Caught, Payload, suppress, suppress_panic};
use crate::exclusive::Exclusive;
use crate::kept::tell_each;

/// Names the type that reports are about without owning one: always `Send` and `Sync`.
type About<T> = PhantomData<fn() -> T>;

/// The errors and the first panic of cleanups of `T`s. What is still in here when it is
/// dropped goes to the hook.
pub(crate) struct Findings<T, E: Debug> {
    errors: Option<CleanupErrors<E>>,
    panic: Exclusive<Option<Payload>>,
    about: About<T>,
}

impl<T, E: Debug> Findings<T, E> {
    pub(crate) fn new() -> Self {
        Self { errors: None, panic: Exclusive::new(None), about: PhantomData }
    }

    /// Takes note of how a cleanup ended.
    pub(crate) fn add(&mut self, cleanup: Caught<Result<(), E>>) {
        match cleanup.into_result() {
            Ok(result) => self.add_result(result),
            Err(payload) => self.add_panic(payload),
        }
    }

    #[inline]
    pub(crate) fn add_result(&mut self, result: Result<(), E>) {
        if let Err(error) = result {
            self.add_error(error);
        }
    }

    pub(crate) fn add_panic(&mut self, payload: Payload) {
        match self.panic.get_mut() {
            Some(_) => suppress_panic::<T>(payload),
            none => *none = Some(payload),
        }
    }

    pub(crate) fn add_error(&mut self, error: E) {
        match &mut self.errors {
            Some(errors) => errors.push(error),
            none => *none = Some(CleanupErrors::from(error)),
        }
    }

    /// The result of the whole. Resumes the first panic; errors go to the hook then.
    pub(crate) fn end(&mut self) -> Result<(), CleanupErrors<E>> {
        if let Some(payload) = self.panic.get_mut().take() {
            // Told while the thread unwinds, so that a hook that panics takes nobody's place.
            let _errors = std::mem::replace(self, Self::new());
            resume_unwind(payload);
        }
        self.errors.take().map_or(Ok(()), Err)
    }
}

impl<T, E: Debug> Drop for Findings<T, E> {
    fn drop(&mut self) {
        if let Some(payload) = self.panic.get_mut().take() {
            suppress_panic::<T>(payload);
        }
        tell_each(self.errors.take().into_iter().flatten(), |error| suppress::<T>(&error));
    }
}
