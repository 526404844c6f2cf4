//! The run-time part of the guarantee of a `Live` guard, by hand.
//!
//! The cleanup takes the guard by value. If the value is dropped before the cleanup has ended, because
//! it was forgotten or cancelled, the drop panics. A panic ends the cleanup.
//!
//! This is the obvious form for a value with `async fn close(self)`. The guard implements `Drop`, so
//! it must keep its value in an `Option` to move it out.

use std::convert::Infallible;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

use super::{Close, Origin};
use crate::value::Numbered;

pub(crate) struct Guard<const N: u64 = 0> {
    /// `None` after the cleanup has begun.
    value: Option<Numbered<N>>,
    is_clean: bool,
    origin: Origin,
}

impl<const N: u64> Guard<N> {
    #[track_caller]
    pub(crate) fn new(value: Numbered<N>) -> Self {
        Self { value: Some(value), is_clean: false, origin: Origin::here() }
    }
}

impl<const N: u64> Close for Guard<N> {
    async fn close(mut self) -> Result<(), Infallible> {
        let value = self.value.take().expect("it is closed once");
        let result = AssertUnwindSafe(value.close()).catch_unwind().await;
        self.is_clean = true;
        result.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

impl<const N: u64> Deref for Guard<N> {
    type Target = Numbered<N>;

    fn deref(&self) -> &Numbered<N> {
        self.value.as_ref().expect("it is used before it is closed")
    }
}

impl<const N: u64> DerefMut for Guard<N> {
    fn deref_mut(&mut self) -> &mut Numbered<N> {
        self.value.as_mut().expect("it is used before it is closed")
    }
}

impl<const N: u64> Drop for Guard<N> {
    fn drop(&mut self) {
        if !self.is_clean {
            self.origin.forgotten("Value");
        }
    }
}
