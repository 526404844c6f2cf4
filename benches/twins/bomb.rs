//! The least that tells of a value that was dropped before its cleanup had ended, forgotten or
//! cancelled: a word with a `Drop` beside the value, set to zero at the end. What began is not told
//! apart, and of a cleanup that panicked it says that it was forgotten.

use std::convert::Infallible;

use super::Origin;
use crate::value::Value;

pub(crate) struct Guard {
    pub(crate) bomb: Bomb,
    pub(crate) value: Value,
}

/// Of no size, and forgotten at the end, it took more instructions: the compiler then keeps a flag
/// in the future, for which it lays the value behind the rest, and copies all of that.
pub(crate) struct Bomb {
    is_armed: usize,
    origin: Origin,
}

impl Guard {
    #[track_caller]
    pub(crate) fn new(value: Value) -> Self {
        Self { bomb: Bomb { is_armed: 1, origin: Origin::here() }, value }
    }

    /// Not an `async fn`, whose future would move the value once more.
    pub(crate) fn close(self) -> impl Future<Output = Result<(), Infallible>> {
        let Self { mut bomb, mut value } = self;
        async move {
            let result = value.clean().await;
            bomb.defuse();
            result
        }
    }
}

impl Bomb {
    pub(crate) fn defuse(&mut self) {
        self.is_armed = 0;
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.is_armed != 0 {
            self.origin.forgotten("Value");
        }
    }
}
