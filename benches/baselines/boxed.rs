//! The guarantee of a `Checked` guard, by hand, for a cleanup in a boxed future.
//!
//! `close(&mut self)` can be cancelled and called again. It drops the value when the cleanup has ended,
//! with a result or with a panic. If the cleanup has not ended, dropping the guard panics.

use std::convert::Infallible;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;

use futures::FutureExt;

use super::Origin;
use crate::value::Boxed;

impl<const N: u64> Boxed<N> {
    pub(crate) fn clean_boxed(
        &mut self,
    ) -> Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send + '_>> {
        Box::pin(async { self.0.clean().await })
    }
}

pub(crate) struct Guard<const N: u64> {
    /// `None` after the cleanup has ended.
    value: Option<Boxed<N>>,
    origin: Origin,
}

impl<const N: u64> Guard<N> {
    #[track_caller]
    pub(crate) fn new(value: Boxed<N>) -> Self {
        Self { value: Some(value), origin: Origin::here() }
    }

    pub(crate) async fn close(&mut self) -> Result<(), Infallible> {
        let Some(value) = &mut self.value else {
            return Ok(());
        };
        let result = AssertUnwindSafe(value.clean_boxed()).catch_unwind().await;
        self.value = None;
        result.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

impl<const N: u64> Deref for Guard<N> {
    type Target = Boxed<N>;

    fn deref(&self) -> &Boxed<N> {
        self.value.as_ref().expect("used after it was closed")
    }
}

impl<const N: u64> DerefMut for Guard<N> {
    fn deref_mut(&mut self) -> &mut Boxed<N> {
        self.value.as_mut().expect("used after it was closed")
    }
}

impl<const N: u64> Drop for Guard<N> {
    fn drop(&mut self) {
        if self.value.is_some() {
            self.origin.forgotten("Boxed");
        }
    }
}
