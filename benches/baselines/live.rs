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
use crate::value::Value;

pub(crate) struct Guard {
    /// `None` after the cleanup has begun.
    value: Option<Value>,
    is_clean: bool,
    origin: Origin,
}

impl Guard {
    #[track_caller]
    pub(crate) fn new(value: Value) -> Self {
        Self { value: Some(value), is_clean: false, origin: Origin::here() }
    }
}

impl Close for Guard {
    async fn close(mut self) -> Result<(), Infallible> {
        let value = self.value.take().expect("it is closed once");
        let result = AssertUnwindSafe(value.close()).catch_unwind().await;
        self.is_clean = true;
        result.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

impl Deref for Guard {
    type Target = Value;

    fn deref(&self) -> &Value {
        self.value.as_ref().expect("it is used before it is closed")
    }
}

impl DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut Value {
        self.value.as_mut().expect("it is used before it is closed")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.is_clean {
            self.origin.forgotten("Value");
        }
    }
}
