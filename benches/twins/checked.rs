//! The guarantee of a `Checked` guard, by hand: `close(&mut self)` that can be cancelled and called
//! again, the value dropped once it has ended, and a panic where it never has.

use std::convert::Infallible;
use std::ops::{Deref, DerefMut};

use super::Origin;
use crate::value::Value;

pub(crate) struct Guard {
    /// `None` once it is clean.
    value: Option<Value>,
    origin: Origin,
}

impl Guard {
    #[track_caller]
    pub(crate) fn new(value: Value) -> Self {
        Self { value: Some(value), origin: Origin::here() }
    }

    pub(crate) async fn close(&mut self) -> Result<(), Infallible> {
        let Some(value) = &mut self.value else {
            return Ok(());
        };
        let result = value.clean().await;
        self.value = None;
        result
    }
}

impl Deref for Guard {
    type Target = Value;

    fn deref(&self) -> &Value {
        self.value.as_ref().expect("used after it was closed")
    }
}

impl DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut Value {
        self.value.as_mut().expect("used after it was closed")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.value.is_some() {
            self.origin.forgotten("Value");
        }
    }
}
