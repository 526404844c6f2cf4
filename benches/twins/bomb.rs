//! The least that tells of a value that was dropped before its cleanup had ended, forgotten or
//! cancelled: something with a `Drop` beside the value, forgotten at the end. What began is not told
//! apart, and of a cleanup that panicked it says that it was forgotten.

use std::convert::Infallible;

use super::Origin;
use crate::value::Value;

pub(crate) struct Guard {
    pub(crate) bomb: Bomb,
    pub(crate) value: Value,
}

pub(crate) struct Bomb(Origin);

impl Guard {
    #[track_caller]
    pub(crate) fn new(value: Value) -> Self {
        Self { bomb: Bomb(Origin::here()), value }
    }

    /// Not an `async fn`, whose future would move the value once more.
    pub(crate) fn close(self) -> impl Future<Output = Result<(), Infallible>> {
        let Self { bomb, mut value } = self;
        async move {
            // Out of the block at once, or the future would keep a flag of whether the bomb has moved.
            let (bomb, result) = {
                let bomb = bomb;
                let result = value.clean().await;
                (bomb, result)
            };
            bomb.defuse();
            result
        }
    }
}

impl Guard {
    /// As one writes it. What unwinds finds the bomb in its place or moved away.
    pub(crate) fn close_with_flag(self) -> impl Future<Output = Result<(), Infallible>> {
        let Self { bomb, mut value } = self;
        async move {
            let result = value.clean().await;
            bomb.defuse();
            result
        }
    }
}

impl Bomb {
    pub(crate) fn defuse(self) {
        std::mem::forget(self);
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.forgotten("Value");
    }
}
