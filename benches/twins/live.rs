//! The guarantee of a `Live` guard that is left to run time, by hand: one by-value cleanup, and a
//! value that is dropped before it has ended, forgotten or cancelled, panics. With a panic of the
//! cleanup, it has ended.
//!
//! As it is written where a value has `async fn close(self)`: the guard has a `Drop`, so that its
//! value can only be taken out of an `Option`.

use std::convert::Infallible;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

use super::{Close, Origin};
use crate::value::Value;

pub(crate) struct Guard {
    /// `None` once the cleanup has begun.
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
