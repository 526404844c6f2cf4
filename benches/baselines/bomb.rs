//! The least code that reports a value that was dropped before its cleanup had ended.
//!
//! A drop bomb stands beside the value, and is passed to `mem::forget` after the cleanup. The report
//! does not distinguish a forgotten cleanup from a cancelled or a panicked one.

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

    /// Not an `async fn`: its future would move the value once more.
    pub(crate) fn close(self) -> impl Future<Output = Result<(), Infallible>> {
        let Self { bomb, mut value } = self;
        async move {
            // The bomb and the result leave the block together. Otherwise the future keeps a drop flag
            // for the bomb.
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
    /// The obvious form. The future keeps a drop flag, because an unwind may find the bomb moved or not.
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
