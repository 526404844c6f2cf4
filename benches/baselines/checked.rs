//! The guarantee of a `Checked` guard, by hand.
//!
//! `close(&mut self)` can be cancelled and called again. It drops the value when the cleanup has ended,
//! with a result or with a panic. If the cleanup has not ended, dropping the guard panics.

use std::convert::Infallible;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::thread;

use futures::FutureExt;

use super::Origin;
use crate::value::Numbered;

pub(crate) struct Guard<const N: u64 = 0> {
    /// `None` after the cleanup has ended.
    value: Option<Numbered<N>>,
    origin: Origin,
}

impl<const N: u64> Guard<N> {
    #[track_caller]
    pub(crate) fn new(value: Numbered<N>) -> Self {
        Self { value: Some(value), origin: Origin::here() }
    }

    pub(crate) async fn close(&mut self) -> Result<(), Infallible> {
        self.close_caught().await.unwrap_or_else(|payload| resume_unwind(payload))
    }

    /// A panic ends the cleanup, too. Without the catch, the guard would still be armed.
    pub(crate) async fn close_caught(&mut self) -> thread::Result<Result<(), Infallible>> {
        let Some(value) = &mut self.value else {
            return Ok(Ok(()));
        };
        let result = AssertUnwindSafe(value.clean()).catch_unwind().await;
        self.value = None;
        result
    }
}

impl<const N: u64> Deref for Guard<N> {
    type Target = Numbered<N>;

    fn deref(&self) -> &Numbered<N> {
        self.value.as_ref().expect("used after it was closed")
    }
}

impl<const N: u64> DerefMut for Guard<N> {
    fn deref_mut(&mut self) -> &mut Numbered<N> {
        self.value.as_mut().expect("used after it was closed")
    }
}

impl<const N: u64> Drop for Guard<N> {
    fn drop(&mut self) {
        if self.value.is_some() {
            self.origin.forgotten("Value");
        }
    }
}
