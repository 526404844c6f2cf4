//! The operations on futures that make a value: acquired ones and shared ones.

use super::*;
use crate::model::making::{Future, Made, Making, Opening, Shielded, Task};
use crate::program::{self, Ending};

impl Resolver {
    pub(super) fn acquire(&mut self, plan: program::Making) -> Option<()> {
        let (id, value) = self.two_ids()?;
        let making = Making::new(value, plan);
        let content = Content::Opening(Opening { making, lane: self.lane, polled: false });
        let (kind, form, phase) = (Kind::Adopted, Form::Opening, Phase::Armed);
        self.vars.insert(id, Guard { id, kind, form, phase, entry: None, content });
        self.record(Statement::Acquire { id, value, making: plan });
        Some(())
    }

    pub(super) fn open(&mut self, pick: u8, polls: Polls) -> Option<()> {
        let id = self.pick(pick, Guard::is_future)?;
        if self.vars[&id].form == Form::Shield {
            return self.await_shield(id, polls);
        }
        let mut guard = self.vars.remove(&id)?;
        let Content::Opening(opening) = &mut guard.content else { return None };
        let value = opening.making.id;
        let mut made = None;
        let mut polled = 0;
        while made.is_none() && polls.is_none_or(|polls| polled < polls) {
            if !std::mem::replace(&mut opening.polled, true) {
                guard.entry = self.model.add_entry(id, Stage::Opening, opening.lane);
            }
            made = self.model.poll_making(&mut opening.making);
            polled += 1;
        }
        let (mut gives, mut panics) = (None, false);
        match made {
            None => {
                self.vars.insert(id, guard);
            }
            Some(Made::Given(made)) => {
                let made = Guard { kind: Kind::Adopted, entry: guard.entry, ..made };
                self.model.rename_entry(&made, Stage::Alive);
                self.vars.insert(value, made);
                self.model.settle(id, Settled::Released);
                gives = Some(value);
            }
            Some(failed) => {
                panics = matches!(failed, Made::Panicked { .. });
                let fails = matches!(failed, Made::Failed | Made::Panicked { itself: true });
                self.fates(value).failures += usize::from(fails);
                self.model.remove_entry(&mut guard);
                self.model.settle(id, Settled::Released);
            }
        }
        self.statements.push((Statement::Open { opening: id, polls, gives }, panics));
        Some(())
    }

    pub(super) fn shield(&mut self, spec: Spec) -> Option<()> {
        let id = self.may_create()?;
        let content = Content::Shield(Shielded { spec, left: None, lane: self.lane });
        let (kind, form, phase) = (Kind::Adopted, Form::Shield, Phase::Armed);
        self.vars.insert(id, Guard { id, kind, form, phase, entry: None, content });
        self.record(Statement::Shield { id, spec });
        Some(())
    }

    fn await_shield(&mut self, id: Id, polls: Polls) -> Option<()> {
        let mut guard = self.vars.remove(&id)?;
        let Content::Shield(shielded) = &mut guard.content else { return None };
        let mut end = None;
        let mut polled = 0;
        while end.is_none() && polls.is_none_or(|polls| polled < polls) {
            if shielded.left.is_none() {
                guard.entry = self.model.add_entry(id, Stage::Shielded, shielded.lane);
            }
            end = shielded.poll();
            polled += 1;
        }
        if let Some(end) = end {
            self.fates(id).failures += usize::from(end != Ending::Ok);
            self.model.remove_entry(&mut guard);
            self.model.settle(id, Settled::Released);
        } else {
            self.vars.insert(id, guard);
        }
        let panics = end == Some(Ending::Panics);
        self.statements.push((Statement::Await { shield: id, polls }, panics));
        Some(())
    }

    pub(super) fn share(&mut self, plan: program::Making) -> Option<()> {
        // It cannot fail, since it gives a guard and not a `Result`.
        let ending = if plan.ending == Ending::Fails { Ending::Ok } else { plan.ending };
        let plan = program::Making { ending, ..plan };
        let (id, value) = self.two_ids()?;
        let future = Future::Making(Making::new(value, plan));
        let task = Some(Task { handles: 0, kind: plan.kind, future });
        self.model.shared.push(Shared { task, ..Shared::default() });
        self.first_share(id);
        self.record(Statement::Share { id, value, making: plan });
        Some(())
    }

    pub(super) fn ready(&mut self, pick: u8) -> Option<()> {
        let inner =
            self.pick(pick, |guard| guard.form == Form::Value && guard.kind != Kind::Adopted)?;
        let id = self.may_create()?;
        let value = self.vars.remove(&inner)?;
        let task = Some(Task { handles: 0, kind: value.kind, future: Future::Made });
        self.model.shared.push(Shared { strong: 1, value: Some(value), task });
        self.first_share(id);
        self.record(Statement::Ready { id, inner });
        Some(())
    }

    pub(super) fn get(&mut self, pick: u8, polls: Polls) -> Option<()> {
        let handle =
            self.pick(pick, |guard| guard.form == Form::Shared && shared(guard).is_some())?;
        let place = shared(&self.vars[&handle])?;
        let id = self.may_create()?;
        let mut made = None;
        let mut polled = 0;
        while made.is_none() && polls.is_none_or(|polls| polled < polls) {
            made = self.model.poll_task(place);
            polled += 1;
        }
        let mut gives = None;
        match made {
            Some(Ok(())) => {
                self.model.shared[place].strong += 1;
                let handle = self.model.handle(id, place);
                self.vars.insert(id, handle);
                gives = Some(id);
            }
            Some(Err(value)) => self.fates(value).failures += 1,
            None => {}
        }
        if gives.is_none() {
            self.model.fates.pop();
        }
        self.record(Statement::Get { handle, polls, gives });
        Some(())
    }

    fn first_share(&mut self, id: Id) {
        let handle = self.model.share(id, self.model.shared.len() - 1);
        self.vars.insert(id, handle);
    }

    /// The numbers of two guards.
    fn two_ids(&mut self) -> Option<(Id, Id)> {
        if self.model.fates.len() + 2 > SITES {
            return None;
        }
        Some((self.may_create()?, self.may_create()?))
    }
}
