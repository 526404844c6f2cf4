//! The operations that move guards: in, out, from state to state, and to their end.

use super::*;
use crate::model::reaper::Link;
use crate::program::{Body, Ending, Key, KeyIn};

impl Resolver {
    pub(super) fn put(&mut self, pick: u8, into: u8, key: Key, spec: Spec) -> Option<()> {
        let into = self.pick(into, |guard| guard.is_container() && guard.is_usable())?;
        let (kind, form) = (self.vars[&into].kind, self.vars[&into].form);
        // The order of a map is unspecified, so no outcome may depend on it.
        let fits = |guard: &Guard| {
            let collides =
                form == Form::Map && self.model.collide(guard, &self.vars[&into].content);
            !collides && !self.model.is_mute(guard)
        };
        let fitting =
            self.pick(pick, |guard| guard.form == Form::Value && guard.kind == kind && fits(guard));
        let lane = self.lane.map(Link::Lane).filter(|_| kind == Kind::Adopted);
        let links = self.model.links_of(&self.vars[&into].content);
        if fitting.is_none() && form == Form::Map && lane.is_some_and(|lane| links.contains(&lane))
        {
            return None;
        }
        let id = fitting.or_else(|| self.make(kind, spec.for_a_member()))?;
        let guard = self.vars.remove(&id)?;
        let statement = match &mut self.vars.get_mut(&into)?.content {
            Content::Row(row) if form == Form::Map => {
                let old = row.entries.iter().position(|entry| entry.0.number == key.number);
                let stored = old.map(|index| row.entries[index].0.panics);
                // The map keeps an equal key, and drops this one.
                let is_refused = match key.panics {
                    KeyIn::Hash => true,
                    KeyIn::Drop | KeyIn::Eq => old.is_some(),
                    KeyIn::Nothing => stored == Some(KeyIn::Eq),
                };
                if is_refused {
                    let mut unwinding = true;
                    self.model.lose(guard, &mut unwinding);
                    let statement = Statement::Insert { map: into, key, guard: id, replaced: None };
                    self.statements.push((statement, true));
                    return Some(());
                }
                let old = old.map(|index| row.entries.remove(index));
                let kept = old.as_ref().map_or(key, |(kept, _)| *kept);
                row.entries.push((kept, guard));
                let replaced = old.as_ref().map(|(_, guard)| guard.id);
                self.vars.extend(old.map(|(_, guard)| (guard.id, guard)));
                Statement::Insert { map: into, key, guard: id, replaced }
            }
            Content::Row(row) => {
                row.entries.push((Key { number: 0, panics: KeyIn::Nothing }, guard));
                Statement::Push { into, guard: id }
            }
            Content::Stack(stack) => {
                stack.guards.push(guard);
                Statement::Push { into, guard: id }
            }
            _ => unreachable!("it was picked for its form"),
        };
        self.record(statement);
        Some(())
    }

    pub(super) fn take_out(&mut self, pick: u8, panics: KeyIn) -> Option<()> {
        let from = self.pick(pick, |guard| {
            let gives = match &guard.content {
                Content::Row(row) => !row.entries.is_empty(),
                Content::Stack(_) => guard.kind != Kind::Adopted,
                Content::Arc(_) | Content::Wrap(_) => guard.form != Form::Shared,
                _ => false,
            };
            gives && guard.is_usable()
        })?;
        match self.vars[&from].form {
            Form::Arc | Form::Wrap(_) => return self.unwrap(from),
            Form::Stack => {
                let id = self.may_create()?;
                let old = self.vars.get_mut(&from)?;
                let kind = old.kind;
                let content = std::mem::replace(&mut old.content, Content::Stack(Stack::default()));
                self.create(id, kind, Form::Stack, content);
                self.record(Statement::PopAll { id, stack: from });
                return Some(());
            }
            _ => {}
        }
        let Content::Row(row) = &mut self.vars.get_mut(&from)?.content else { return None };
        let (key, guard) = row.entries.pop()?;
        let gives = guard.id;
        let statement = if row.is_map {
            Statement::Remove { map: from, key: Key { panics, ..key }, gives }
        } else {
            Statement::Pop { vec: from, gives }
        };
        if row.is_map && (panics != KeyIn::Nothing || key.panics == KeyIn::Eq) {
            row.entries.push((key, guard));
            self.statements.push((statement, true));
            return Some(());
        }
        let panics = key.panics == KeyIn::Drop;
        self.statements.push((statement, panics));
        if panics {
            let mut unwinding = true;
            self.model.lose(guard, &mut unwinding);
        } else {
            self.vars.insert(gives, guard);
        }
        Some(())
    }

    fn unwrap(&mut self, wrapper: Id) -> Option<()> {
        let mut guard = self.vars.remove(&wrapper)?;
        let mut inner = match std::mem::replace(&mut guard.content, Content::Gone) {
            Content::Wrap(inner) | Content::Arc(Handle::Last(inner)) => *inner,
            Content::Arc(Handle::Shared(place)) if self.model.shared[place].strong == 1 => {
                self.model.shared[place].strong = 0;
                self.model.shared[place].value.take()?
            }
            refused => {
                guard.content = refused;
                self.vars.insert(wrapper, guard);
                self.record(Statement::IntoInner { wrapper, gives: None });
                return Some(());
            }
        };
        inner.put_back();
        self.model.settle(wrapper, Settled::Released);
        self.record(Statement::IntoInner { wrapper, gives: Some(inner.id) });
        self.vars.insert(inner.id, inner);
        Some(())
    }

    pub(super) fn convert(&mut self, pick: u8, kind: Kind) -> Option<()> {
        let id = self.pick(pick, |guard| {
            let free = matches!(guard.form, Form::Value | Form::Shared);
            free && guard.kind != Kind::Adopted && guard.kind != kind
        })?;
        let guard = self.vars.get_mut(&id)?;
        guard.kind = kind;
        let gone = guard.is_done() && kind == Kind::Live;
        if !guard.is_done() {
            guard.phase = Phase::Armed;
            if kind == Kind::Adopted {
                let entry = self.adopt(id);
                self.vars.get_mut(&id)?.entry = entry;
            }
        }
        if gone {
            self.vars.remove(&id);
        }
        self.record(Statement::Convert { guard: id, kind, gone });
        Some(())
    }

    pub(super) fn try_adopt(&mut self, pick: u8) -> Option<()> {
        let id = self.pick(pick, |guard| {
            matches!(guard.form, Form::Value | Form::Shared) && guard.kind != Kind::Adopted
        })?;
        let refused = self.model.closed;
        if !refused {
            let entry = if self.vars[&id].is_done() { None } else { self.adopt(id) };
            let guard = self.vars.get_mut(&id)?;
            (guard.kind, guard.entry) = (Kind::Adopted, entry);
            if !guard.is_done() {
                guard.phase = Phase::Armed;
            }
        }
        self.record(Statement::TryAdopt { guard: id, refused });
        Some(())
    }

    pub(super) fn clean(&mut self, id: Id, polls: Polls) {
        let mut guard = self.vars.remove(&id).expect("it was picked");
        let mut end = None;
        let mut polled = 0;
        self.model.alone = guard.is_live_value();
        while end.is_none() && polls.is_none_or(|polls| polled < polls) {
            end = self.model.poll(&mut guard);
            polled += 1;
        }
        self.model.alone = false;
        let mut panics = end == Some(End::Panic);
        if guard.kind != Kind::Live {
            if end.is_none() && guard.kind == Kind::Checked {
                Model::interrupt(&mut guard.content);
            }
            self.vars.insert(id, guard);
        } else if end.is_none() {
            let cause = if polled > 0 { Cause::CancelledInCleanup } else { Cause::Forgotten };
            self.model.report(id, cause, GuardKind::Plain, &mut panics);
            self.model.lose_content(&mut guard.content, &mut panics);
        }
        self.statements.push((Statement::Clean { guard: id, polls }, panics));
    }

    pub(super) fn bracket(&mut self, id: Id, held: Option<Id>, body: Body, polls: Polls) {
        let mut guard = self.vars.remove(&id).expect("it was picked");
        let statement = Statement::Bracket { guard: id, held, body, polls };
        let mut held = held.and_then(|held| self.vars.remove(&held));
        if guard.kind != Kind::Adopted {
            (guard.kind, guard.phase) = (Kind::Checked, Phase::Borrowed);
        }
        let mut end = None;
        let mut polled = 0;
        let mut body_panicked = false;
        while end.is_none() && polls.is_none_or(|polls| polled < polls) {
            if polled == body.waits {
                body_panicked = body.ending == Ending::Panics;
                if let Some(held) = held.take() {
                    self.model.drop_owned(held, &mut body_panicked);
                }
            }
            if polled >= body.waits {
                end = self.model.poll(&mut guard);
            }
            polled += 1;
        }
        self.model.body_panics += usize::from(body_panicked && end.is_none());
        let mut unwinding = match end {
            Some(end) => body_panicked || end == End::Panic,
            None => false,
        };
        if let Some(held) = held {
            self.model.drop_owned(held, &mut unwinding);
        }
        self.model.lose(guard, &mut unwinding);
        self.statements.push((statement, unwinding));
    }

    /// Takes the value out of its guard, and drops it.
    pub(super) fn release(&mut self, pick: u8) -> Option<()> {
        let id = self.pick_value(pick, |_| true)?;
        let mut guard = self.vars.remove(&id)?;
        let mut unwinding = false;
        if guard.is_usable() {
            self.model.remove_entry(&mut guard);
            self.model.settle(id, Settled::Released);
            self.model.lose_content(&mut guard.content, &mut unwinding);
        } else {
            // The guard is dropped before the panic.
            self.model.lose(guard, &mut unwinding);
            unwinding = true;
        }
        self.statements.push((Statement::Release { guard: id }, unwinding));
        Some(())
    }

    /// Makes another value, with the guard that the old one held.
    pub(super) fn remake(&mut self, pick: u8, spec: Spec, panics: bool) -> Option<()> {
        let old = self.pick_value(pick, |guard| guard.form == Form::Value)?;
        let id = self.may_create()?;
        let mut guard = self.vars.remove(&old)?;
        let spec = spec.for_a_holder();
        let mut unwinding = panics || !guard.is_usable();
        if !guard.is_usable() {
            self.model.settle(id, Settled::Released);
            self.model.lose(guard, &mut unwinding);
        } else if panics {
            self.model.settle(id, Settled::Released);
            self.model.settle(old, Settled::Released);
            self.model.remove_entry(&mut guard);
            self.model.lose_content(&mut guard.content, &mut unwinding);
        } else {
            self.model.settle(old, Settled::Released);
            self.fates(id).is_value = true;
            let Content::Value(value) = guard.content else { return None };
            let content = Content::Value(Value { id, spec, left: None, ..value });
            let guard = Guard { id, phase: Phase::Armed, content, ..guard };
            self.model.rename_entry(&guard, Stage::Alive);
            self.vars.insert(id, guard);
        }
        self.statements.push((Statement::Remake { guard: old, id, spec, panics }, unwinding));
        Some(())
    }

    pub(super) fn drop_guard(&mut self, id: Id, unwinding: bool) {
        let guard = self.vars.remove(&id).expect("it was picked");
        let mut panics = unwinding;
        self.model.drop_owned(guard, &mut panics);
        self.statements.push((Statement::Drop { guard: id, unwinding }, panics));
    }
}

/// The place of the value that a handle shares, unless the cleanup of the handle has begun.
pub(super) fn shared(guard: &Guard) -> Option<usize> {
    match guard.content {
        Content::Arc(Handle::Shared(place)) | Content::Share(place) if guard.is_usable() => {
            Some(place)
        }
        _ => None,
    }
}
