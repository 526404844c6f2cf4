//! What is lost in the model, who is told, and what goes to the reaper instead.

use livedrop::hook::Cause;

use super::tree::{Form, Guard, Handle, Phase, What};
use super::{Model, Settled};
use crate::statement::Id;

impl Model {
    /// The guard is dropped as it is.
    pub fn lose(&mut self, mut guard: Guard, unwinding: &mut bool) {
        if guard.is_done() {
            return;
        }
        if guard.ticket && !self.abandoned {
            guard.phase = Phase::Waiting;
            self.orphans.push(guard);
            return;
        }
        if guard.form == Form::Opening {
            self.settle(guard.id, Settled::Excused);
            return self.lose_content(&mut guard.what, unwinding);
        }
        let cause = match guard.phase {
            Phase::Fresh => Cause::Forgotten,
            Phase::Lent => Cause::CancelledInBody,
            Phase::Waiting => Cause::CancelledInCleanup,
            Phase::Done => unreachable!("nothing is owed"),
        };
        self.report(guard.id, cause, unwinding);
        self.lose_content(&mut guard.what, unwinding);
    }

    /// The value is dropped, with the guards in it.
    pub fn lose_content(&mut self, what: &mut What, unwinding: &mut bool) {
        match std::mem::replace(what, What::Gone) {
            What::Value(value) => {
                if let Some(inner) = value.inner {
                    self.lose(*inner, unwinding);
                }
            }
            What::Arc(Handle::Shared(place)) => self.lose_handle(place, unwinding),
            What::Share(place) => self.lose_share(place, unwinding),
            What::Opening(opening) => self.lose_making(opening.making, unwinding),
            // It went under the name of its opening.
            What::Acquired(mut guard) if !guard.is_done() => {
                self.settle(guard.id, Settled::Excused);
                self.lose_content(&mut guard.what, unwinding);
            }
            What::Arc(Handle::Last(guard)) | What::Wrap(guard) => self.lose(*guard, unwinding),
            What::Row(row) => {
                let held = row.held.into_iter().map(|(guard, _)| guard);
                let guards: Vec<Guard> =
                    row.entries.into_iter().map(|(_, guard)| guard).chain(held).collect();
                // Only the first one panics, and a map has no first one.
                let owing: usize = guards.iter().map(Guard::owing).sum();
                let before = self.vague;
                self.vague |= row.is_map && self.hook_panics && !*unwinding && owing > 1;
                for guard in guards {
                    self.lose(guard, unwinding);
                }
                self.vague = before;
            }
            What::Stack(stack) => {
                for guard in stack.guards.into_iter().rev() {
                    self.lose(guard, unwinding);
                }
            }
            What::Arc(Handle::Gone) | What::Acquired(_) | What::Gone => {}
        }
    }

    /// One handle less of a shared value.
    pub fn lose_handle(&mut self, place: usize, unwinding: &mut bool) {
        let shared = &mut self.shared[place];
        shared.strong -= 1;
        if shared.strong == 0 {
            let value = shared.value.take().expect("the last handle keeps it");
            self.lose(value, unwinding);
        }
    }

    /// The reaper gives up. Returns the orphans that nobody will clean up.
    pub fn abandon(&mut self, unwinding: bool) -> Vec<Id> {
        (self.closed, self.abandoned) = (true, true);
        self.entries = 0;
        let orphans = std::mem::take(&mut self.orphans);
        let ids = orphans.iter().map(|orphan| orphan.id).collect();
        for mut orphan in orphans {
            // What panics in here is caught.
            self.lose_content(&mut orphan.what, &mut unwinding.clone());
        }
        ids
    }

    /// One less looks after orphans. The last one names what is lost.
    pub fn leave(&mut self, unwinding: &mut bool) {
        self.keepers -= 1;
        if self.keepers > 0 {
            return;
        }
        let orphans = self.abandon(*unwinding);
        // They are named in the order of their adoption, which is not kept here.
        self.vague = self.hook_panics && !*unwinding && orphans.len() > 1;
        for id in orphans {
            self.report(id, Cause::ReaperGone, unwinding);
        }
        self.vague = false;
    }
}
