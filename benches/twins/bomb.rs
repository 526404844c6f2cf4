//! The least that tells of a value that was dropped before its cleanup had ended, forgotten or
//! cancelled: a field of no size with a `Drop`, beside the value in the future of the cleanup, and
//! defused at the end. What began is not told apart, and of a cleanup that panicked it says that
//! it was forgotten.

use std::convert::Infallible;

use super::Origin;
use crate::value::Value;

pub(crate) struct Guard {
    bomb: Bomb,
    pub(crate) value: Value,
}

struct Bomb(Origin);

impl Guard {
    #[track_caller]
    pub(crate) fn new(value: Value) -> Self {
        Self { bomb: Bomb(Origin::here()), value }
    }

    /// Not an `async fn`, whose future would move the value once more.
    pub(crate) fn close(self) -> impl Future<Output = Result<(), Infallible>> {
        let Self { bomb, mut value } = self;
        async move {
            let result = value.clean().await;
            std::mem::forget(bomb);
            result
        }
    }

    pub(crate) fn defuse(self) {
        std::mem::forget(self.bomb);
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.forgotten("Value");
    }
}
