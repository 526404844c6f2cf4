//! The guarantee of `live.rs` for a value whose cleanup takes a reference: `close` takes the guard by
//! value, and does not move the value out of it.

use std::convert::Infallible;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

use super::{Close, Origin};
use crate::value::Value;

pub(crate) struct Guard {
    value: Value,
    is_clean: bool,
    origin: Origin,
}

impl Guard {
    #[track_caller]
    pub(crate) fn new(value: Value) -> Self {
        Self { value, is_clean: false, origin: Origin::here() }
    }
}

impl Close for Guard {
    async fn close(mut self) -> Result<(), Infallible> {
        let result = AssertUnwindSafe(self.value.clean()).catch_unwind().await;
        self.is_clean = true;
        result.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

impl Deref for Guard {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

impl DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut Value {
        &mut self.value
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.is_clean {
            self.origin.forgotten("Value");
        }
    }
}
