//! Losses in the model: the reports to the hook, and the values that go to the reaper.

use livedrop::hook::Cause;

use super::cleanup::Found;
use super::tree::{Content, Guard, Handle, Phase};
use super::{Model, Settled};
use crate::program::{Hook, In, KeyIn};

impl Model {
    /// Drops a guard of the program.
    pub fn drop_owned(&mut self, guard: Guard, unwinding: &mut bool) {
        self.in_a_container = *unwinding && guard.is_container();
        self.lose(guard, unwinding);
        self.in_a_container = false;
    }

    /// Drops the guard.
    pub fn lose(&mut self, mut guard: Guard, unwinding: &mut bool) {
        if guard.is_done() {
            return;
        }
        let reports_drop = self.in_a_container && guard.is_in_its_cleanup();
        match guard.entry {
            Some(entry) if !self.entries.contains_key(&entry.serial) => {
                // `abandon` has named it.
                self.settle(guard.id, Settled::Named);
                self.fates[guard.id].failures += usize::from(reports_drop);
                return self.lose_content(&mut guard.content, unwinding);
            }
            Some(_) if self.has_driver() => {
                guard.phase = Phase::CleaningUp;
                return self.add_orphan(guard);
            }
            None if guard.is_future() || guard.is_wrapper() => {
                self.settle(guard.id, Settled::Released);
                return self.lose_content(&mut guard.content, unwinding);
            }
            Some(_) | None => self.remove_entry(&mut guard),
        }
        let cause = match guard.phase {
            _ if guard.is_future() => Cause::ReaperGone,
            Phase::Armed => Cause::Forgotten,
            Phase::Borrowed => Cause::CancelledInBody,
            Phase::CleaningUp => Cause::CancelledInCleanup,
            Phase::Done => unreachable!("its cleanup has ended"),
        };
        self.report(guard.id, cause, guard.report_kind(), unwinding);
        self.fates[guard.id].failures += usize::from(reports_drop);
        self.lose_content(&mut guard.content, unwinding);
    }

    /// Drops the value, with the guards in it.
    pub fn lose_content(&mut self, content: &mut Content, unwinding: &mut bool) {
        match std::mem::replace(content, Content::Gone) {
            Content::Value(value) => {
                if value.spec.panics == In::Drop {
                    self.fates[value.id].failures += usize::from(!*unwinding);
                    self.fates[value.id].is_uncounted |= self.order_is_unknown;
                    *unwinding = true;
                }
                if let Some(inner) = value.inner {
                    self.lose(*inner, unwinding);
                }
            }
            Content::Arc(Handle::Shared(place)) => self.lose_handle(place, unwinding),
            Content::Share(place) => self.lose_share(place, unwinding),
            Content::Opening(opening) => self.lose_making(opening.making, unwinding),
            Content::Arc(Handle::Last(guard)) | Content::Wrap(guard) => {
                self.lose(*guard, unwinding);
            }
            Content::Row(row) => {
                let held = row.held.into_iter().map(|(guard, _)| (false, guard));
                let entries =
                    row.entries.into_iter().map(|(key, guard)| (key.panics == KeyIn::Drop, guard));
                let parts: Vec<(bool, Guard)> = entries.chain(held).collect();
                let is_unordered = row.is_map && parts.len() > 1;
                self.log_is_unordered |= is_unordered;
                // Only the first of them panics, and the order of a map is unspecified.
                let owing: usize = parts.iter().map(|(_, guard)| guard.owing()).sum();
                let may_panic = parts.iter().any(|(key, guard)| *key || guard.may_panic())
                    || (self.hook != Hook::Records && owing > 1);
                let before = self.order_is_unknown;
                self.order_is_unknown |= is_unordered && may_panic && !*unwinding;
                for (key_panics, guard) in parts {
                    self.lose(guard, unwinding);
                    *unwinding |= key_panics;
                }
                self.order_is_unknown = before;
                self.lose_errors(row.found, unwinding);
            }
            Content::Stack(stack) => {
                for guard in stack.guards.into_iter().rev() {
                    self.lose(guard, unwinding);
                }
                self.lose_errors(stack.found, unwinding);
            }
            Content::Via(mut via) => self.lose_content(&mut via.value, unwinding),
            Content::Arc(Handle::Gone) | Content::Shield(_) | Content::Gone => {}
        }
    }

    /// A container reports the errors that its cleanup has found and not returned.
    fn lose_errors(&self, found: Found, unwinding: &mut bool) {
        if found.has_errors {
            self.suppress(unwinding);
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
}
