//! Losses in the model: the reports to the hook, and the values that go to the reaper.

use livedrop::hook::Cause;

use super::tree::{Content, Form, Guard, Handle, Phase};
use super::{Model, Settled};
use crate::statement::Id;

impl Model {
    /// Drops the guard.
    pub fn lose(&mut self, mut guard: Guard, unwinding: &mut bool) {
        if guard.is_done() {
            return;
        }
        if guard.registered && !self.abandoned {
            guard.phase = Phase::CleaningUp;
            self.orphans.push(guard);
            return;
        }
        if guard.form == Form::Opening || guard.is_wrapper() {
            self.settle(guard.id, Settled::Released);
            return self.lose_content(&mut guard.content, unwinding);
        }
        let cause = match guard.phase {
            Phase::Armed => Cause::Forgotten,
            Phase::Borrowed => Cause::CancelledInBody,
            Phase::CleaningUp => Cause::CancelledInCleanup,
            Phase::Done => unreachable!("its cleanup has ended"),
        };
        self.report(guard.id, cause, unwinding);
        self.lose_content(&mut guard.content, unwinding);
    }

    /// Drops the value, with the guards in it.
    pub fn lose_content(&mut self, content: &mut Content, unwinding: &mut bool) {
        match std::mem::replace(content, Content::Gone) {
            Content::Value(value) => {
                if let Some(inner) = value.inner {
                    self.lose(*inner, unwinding);
                }
            }
            Content::Arc(Handle::Shared(place)) => self.lose_handle(place, unwinding),
            Content::Share(place) => self.lose_share(place, unwinding),
            Content::Opening(opening) => self.lose_making(opening.making, unwinding),
            // The opening is registered, not the value.
            Content::Acquired(mut guard) if !guard.is_done() => {
                self.settle(guard.id, Settled::Released);
                self.lose_content(&mut guard.content, unwinding);
            }
            Content::Arc(Handle::Last(guard)) | Content::Wrap(guard) => {
                self.lose(*guard, unwinding);
            }
            Content::Row(row) => {
                let held = row.held.into_iter().map(|(guard, _)| guard);
                let guards: Vec<Guard> =
                    row.entries.into_iter().map(|(_, guard)| guard).chain(held).collect();
                // Only the first report panics, and the order of a map is unspecified.
                let owing: usize = guards.iter().map(Guard::owing).sum();
                let before = self.order_is_unknown;
                self.order_is_unknown |= row.is_map && self.hook_panics && !*unwinding && owing > 1;
                for guard in guards {
                    self.lose(guard, unwinding);
                }
                self.order_is_unknown = before;
            }
            Content::Stack(stack) => {
                for guard in stack.guards.into_iter().rev() {
                    self.lose(guard, unwinding);
                }
            }
            Content::Via(mut via) => self.lose_content(&mut via.value, unwinding),
            Content::Arc(Handle::Gone) | Content::Acquired(_) | Content::Gone => {}
        }
    }

    /// Drops a handle of a shared value.
    pub fn lose_handle(&mut self, place: usize, unwinding: &mut bool) {
        let shared = &mut self.shared[place];
        shared.strong -= 1;
        if shared.strong == 0 {
            let value = shared.value.take().expect("the last handle keeps it");
            self.lose(value, unwinding);
        }
    }

    /// The reaper abandons its orphans. Returns their numbers.
    pub fn abandon(&mut self, unwinding: bool) -> Vec<Id> {
        (self.closed, self.abandoned) = (true, true);
        self.entries = 0;
        let orphans = std::mem::take(&mut self.orphans);
        let ids = orphans.iter().map(|orphan| orphan.id).collect();
        for mut orphan in orphans {
            // A panic of the content is caught.
            self.lose_content(&mut orphan.content, &mut unwinding.clone());
        }
        ids
    }

    /// Removes a driver. The last one reports the orphans that are left.
    pub fn remove_driver(&mut self, unwinding: &mut bool) {
        self.drivers -= 1;
        if self.drivers > 0 {
            return;
        }
        let orphans = self.abandon(*unwinding);
        // They are reported in the order of their adoption, which the model does not keep.
        self.order_is_unknown = self.hook_panics && !*unwinding && orphans.len() > 1;
        for id in orphans {
            self.report(id, Cause::ReaperGone, unwinding);
        }
        self.order_is_unknown = false;
    }
}
