//! The guarantee of `live.rs`, with the technique of the library.
//!
//! The drop bomb is a field beside the value, so the value can be moved out of the guard. The future of
//! the cleanup captures the two fields separately. An `async fn` would capture the guard, and move the
//! fields inside its future.

use std::convert::Infallible;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

use super::{Close, Origin};
use crate::value::Value;

pub(crate) struct Guard {
    bomb: Bomb,
    value: Value,
}

struct Bomb {
    is_armed: bool,
    origin: Origin,
}

impl Guard {
    #[track_caller]
    pub(crate) fn new(value: Value) -> Self {
        Self { bomb: Bomb { is_armed: true, origin: Origin::here() }, value }
    }
}

impl Close for Guard {
    fn close(self) -> impl Future<Output = Result<(), Infallible>> {
        let Self { mut bomb, value } = self;
        async move {
            let result = AssertUnwindSafe(value.close()).catch_unwind().await;
            bomb.defuse();
            result.unwrap_or_else(|payload| resume_unwind(payload))
        }
    }
}

impl Bomb {
    fn defuse(&mut self) {
        self.is_armed = false;
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

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.is_armed {
            self.origin.forgotten("Value");
        }
    }
}
