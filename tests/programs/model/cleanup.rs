//! The cleanup of guards in the model, one poll at a time.

use livedrop::reaper::Stage;

use super::tree::{Content, Form, Guard, Handle, Phase, Row, Stack, Value};
use super::{Model, Settled};
use crate::program::{Ending, KeyIn, Kind, Wrap};
use crate::statement::Id;
use crate::value::Event;

/// How a cleanup ended. The end of a container is the greatest of its guards: a panic takes the place of
/// the errors.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    #[default]
    Ok,
    Err,
    Panic,
}

/// What the cleanup of a container has found so far.
#[derive(Clone, Copy, Default)]
pub struct Found {
    /// The greatest end of its guards.
    end: End,
    pub has_errors: bool,
}

impl Found {
    fn add(&mut self, end: End) {
        self.end = self.end.max(end);
        self.has_errors |= end == End::Err;
    }

    /// The cleanup has ended, and returns everything.
    fn take(&mut self) -> End {
        std::mem::take(self).end
    }
}

impl Model {
    /// One poll. `None` while it is pending.
    pub fn poll(&mut self, guard: &mut Guard) -> Option<End> {
        if guard.is_done() {
            return Some(End::Ok);
        }
        if guard.is_future() {
            return self.poll_future(guard);
        }
        let mut end = match &mut guard.content {
            Content::Value(value) => self.poll_value(guard.id, value),
            Content::Arc(handle) => self.poll_handle(handle),
            Content::Wrap(inner) => {
                let end = self.poll(inner);
                if guard.form == Form::Wrap(Wrap::Result) {
                    inner.put_back();
                }
                end
            }
            Content::Row(row) => self.poll_row(row),
            Content::Stack(stack) => self.poll_stack(stack),
            Content::Share(_) => self.poll_unmade(guard),
            Content::Via(_) => self.poll_via(guard),
            Content::Opening(_) | Content::Shield(_) | Content::Gone => {
                unreachable!("it is no future, and not done")
            }
        };
        match end {
            None => {
                guard.phase = Phase::CleaningUp;
                self.set_stage(guard, Stage::Cleaning);
            }
            // `poll_via` has done the rest.
            Some(_) if guard.is_done() => {}
            Some(found) => {
                guard.phase = Phase::Done;
                self.remove_entry(guard);
                self.settle(guard.id, Settled::Discharged);
                // The unwinding drops the guards that are not cleaned up, and the value.
                let mut unwinding = found == End::Panic;
                if unwinding && !self.alone && guard.panics_twice() {
                    self.fates[guard.id].failures += 1;
                }
                self.lose_content(&mut guard.content, &mut unwinding);
                end = Some(if unwinding { End::Panic } else { found });
            }
        }
        end
    }

    fn poll_value(&mut self, id: Id, value: &mut Value) -> Option<End> {
        let left = if let Some(left) = value.left {
            left.saturating_sub(1)
        } else {
            self.fates[id].begun += 1;
            self.log.push(Event::Begun(id));
            value.spec.waits
        };
        value.left = Some(left);
        if left > 0 {
            return None;
        }
        if value.spec.ending == Ending::Panics {
            self.fates[id].failures += 1;
            self.log.push(Event::Ended(id));
            return Some(End::Panic);
        }
        let own = if value.spec.ending == Ending::Fails { End::Err } else { End::Ok };
        let mut worst = own;
        if let Some(inner) = &mut value.inner {
            let end = self.poll(inner);
            inner.put_back();
            let end = end?;
            if end == End::Panic {
                self.log.push(Event::Ended(id));
                return Some(End::Panic);
            }
            worst = worst.max(end);
        }
        self.log.push(Event::Ended(id));
        self.fates[id].failures += usize::from(own == End::Err);
        Some(worst)
    }

    pub fn poll_handle(&mut self, handle: &mut Handle) -> Option<End> {
        if let Handle::Shared(place) = *handle {
            let shared = &mut self.shared[place];
            shared.strong -= 1;
            if shared.strong > 0 {
                *handle = Handle::Gone;
                return Some(End::Ok);
            }
            let value = shared.value.take().expect("the last handle keeps it");
            *handle = Handle::Last(Box::new(value));
        }
        match handle {
            Handle::Last(value) => self.poll(value),
            Handle::Shared(_) | Handle::Gone => unreachable!("it is the last, and not done"),
        }
    }

    fn poll_row(&mut self, row: &mut Row) -> Option<End> {
        if row.begun {
            let running = row.held.iter().filter(|(_, runs)| *runs).map(|(guard, _)| guard.id);
            for id in running.collect::<Vec<_>>() {
                let index = row.held.iter().position(|(guard, _)| guard.id == id).expect("held");
                if let Some(end) = self.poll(&mut row.held[index].0) {
                    row.found.add(end);
                    row.held.remove(index);
                    self.begin_more(row);
                }
            }
        } else {
            row.begun = true;
            // A vector with a limit begins the next cleanup in the same poll, at an unspecified place.
            let is_unordered = row.is_map || row.limit > 0;
            self.log_is_unordered |= is_unordered && row.entries.len() + row.held.len() > 1;
            if row.entries.iter().any(|(key, _)| key.panics == KeyIn::Drop) {
                row.found.add(End::Panic);
            }
            row.held.extend(row.entries.drain(..).map(|(_, guard)| (guard, false)));
            self.begin_more(row);
        }
        row.held.is_empty().then(|| row.found.take())
    }

    /// Begins cleanups in order, as many as may run at a time.
    fn begin_more(&mut self, row: &mut Row) {
        let limit = if row.limit == 0 { usize::MAX } else { usize::from(row.limit) };
        while row.held.iter().filter(|(_, runs)| *runs).count() < limit
            && let Some(index) = row.held.iter().position(|(_, runs)| !runs)
        {
            row.held[index].1 = true;
            if let Some(end) = self.poll(&mut row.held[index].0) {
                row.found.add(end);
                row.held.remove(index);
            }
        }
    }

    fn poll_stack(&mut self, stack: &mut Stack) -> Option<End> {
        while let Some(last) = stack.guards.last_mut() {
            let end = self.poll(last);
            last.put_back();
            stack.found.add(end?);
            stack.guards.pop();
        }
        Some(stack.found.take())
    }

    /// The future of the cleanup is dropped: the cleanup restarts. Adopted guards inside resume theirs.
    pub fn interrupt(content: &mut Content) {
        let interrupt = |guard: &mut Guard| {
            if guard.kind != Kind::Adopted {
                Self::interrupt(&mut guard.content);
            }
        };
        match content {
            Content::Value(value) => {
                value.left = None;
                if let Some(inner) = &mut value.inner {
                    interrupt(inner);
                }
            }
            Content::Arc(Handle::Last(guard)) | Content::Wrap(guard) => interrupt(guard),
            Content::Row(row) => {
                row.begun = false;
                for (guard, runs) in &mut row.held {
                    *runs = false;
                    interrupt(guard);
                }
            }
            Content::Stack(stack) => stack.guards.iter_mut().for_each(interrupt),
            // The progress of a shared future is kept.
            Content::Share(_) | Content::Arc(Handle::Shared(_) | Handle::Gone) | Content::Gone => {}
            Content::Opening(_) | Content::Shield(_) | Content::Via(_) => {
                unreachable!("only the reaper cleans these up")
            }
        }
    }

    /// A handle, in the state of the value's guard.
    pub fn handle(&self, id: Id, place: usize) -> Guard {
        let kind = self.shared[place].value.as_ref().expect("there is a handle").kind;
        let content = Content::Arc(Handle::Shared(place));
        Guard { id, kind, form: Form::Arc, phase: Phase::Armed, entry: None, content }
    }
}
