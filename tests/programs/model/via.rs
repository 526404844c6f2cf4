//! `async_drop_via` in the model: a future that owns the value, and ends the guard.

use super::cleanup::End;
use super::tree::{Content, Guard, Phase, Via};
use super::{Model, Settled};
use crate::program::{Ending, Spec};

impl Guard {
    /// Moves the value to the future of `async_drop_via`.
    pub fn end_via(&mut self, ending: Spec) {
        let value = Box::new(std::mem::replace(&mut self.content, Content::Gone));
        self.content = Content::Via(Via { ending, left: None, value });
    }
}

impl Model {
    /// One poll. `None` while it is pending. Whoever gets the result counts the error.
    pub fn poll_via(&mut self, guard: &mut Guard) -> Option<End> {
        let Content::Via(via) = &mut guard.content else { unreachable!("it ends so") };
        let left = if let Some(left) = via.left {
            left.saturating_sub(1)
        } else {
            self.fates[guard.id].via_begun += 1;
            via.ending.waits
        };
        via.left = Some(left);
        if left > 0 {
            return None;
        }
        let mut unwinding = via.ending.ending == Ending::Panics;
        self.fates[guard.id].failures += usize::from(unwinding);
        guard.phase = Phase::Done;
        self.remove_entry(guard);
        self.settle(guard.id, Settled::EndedVia);
        self.lose_content(&mut guard.content, &mut unwinding);
        Some(if unwinding { End::Panic } else { End::Ok })
    }
}
