//! The reaper in the model: its entries, its lanes, and its drivers.

use std::collections::VecDeque;

use livedrop::hook::{Cause, GuardKind};
use livedrop::reaper::Stage;

use super::cleanup::End;
use super::tree::{Content, Guard, Handle};
use super::{Model, Settled};
use crate::program::Kind;
use crate::statement::{Id, Named};

/// The number of an ordered handle.
pub type Lane = usize;

/// The entry of an adopted guard. It stays the same if `abandon` removes it from the model.
#[derive(Clone, Copy)]
pub struct Entry {
    /// In the order of adoption.
    pub serial: usize,
    pub lane: Option<Lane>,
}

/// A thing that two guards may have in common, so that the order of their ends matters.
#[derive(PartialEq)]
pub enum Link {
    /// The place of a shared value.
    Shared(usize),
    Lane(Lane),
}

impl Guard {
    pub fn report_kind(&self) -> GuardKind {
        if self.kind == Kind::Adopted { GuardKind::WithoutReaper } else { GuardKind::Plain }
    }

    fn serial(&self) -> usize {
        self.entry.expect("an orphan has an entry").serial
    }
}

impl Model {
    /// `None` if the reaper is closed.
    pub fn add_entry(&mut self, id: Id, stage: Stage, lane: Option<Lane>) -> Option<Entry> {
        if self.closed {
            return None;
        }
        self.last_serial += 1;
        self.entries.insert(self.last_serial, Named { id, stage, has_begun: false });
        Some(Entry { serial: self.last_serial, lane })
    }

    pub fn remove_entry(&mut self, guard: &mut Guard) {
        if let Some(entry) = guard.entry.take() {
            self.entries.remove(&entry.serial);
        }
    }

    fn named(&mut self, guard: &Guard) -> Option<&mut Named> {
        self.entries.get_mut(&guard.entry?.serial)
    }

    pub fn set_stage(&mut self, guard: &Guard, stage: Stage) {
        if let Some(named) = self.named(guard) {
            named.has_begun |= stage == Stage::Cleaning;
            // An orphan stays one while the reaper cleans it up.
            if named.stage != Stage::Orphaned {
                named.stage = stage;
            }
        }
    }

    /// The guard has got the entry of another one.
    pub fn rename_entry(&mut self, guard: &Guard, stage: Stage) {
        if let Some(named) = self.named(guard) {
            *named = Named { id: guard.id, stage, has_begun: stage == Stage::Orphaned };
        }
    }

    pub fn has_driver(&self) -> bool {
        !self.gone || self.runs > 0
    }

    pub fn add_orphan(&mut self, orphan: Guard) {
        if !orphan.is_future() {
            self.set_stage(&orphan, Stage::Orphaned);
        }
        let lane = orphan.entry.and_then(|entry| entry.lane);
        if let Some(waiting) = lane.and_then(|lane| self.lanes.get_mut(&lane)) {
            waiting.push_back(orphan);
            return;
        }
        self.lanes.extend(lane.map(|lane| (lane, VecDeque::default())));
        self.fresh.push_back(orphan);
    }

    /// Whether its cleanup is the last thing that the reaper waits for.
    pub fn is_last(&self, guard: &Guard) -> bool {
        self.has_entry(guard) && self.entries.len() == 1
    }

    /// Whether it would be ready at once as an orphan, and nothing else is ready.
    pub fn would_be_next(&self, guard: &Guard) -> bool {
        let lane = guard.entry.and_then(|entry| entry.lane);
        let is_free = lane.is_none_or(|lane| !self.lanes.contains_key(&lane));
        let begun = self.begun.len() + self.tasks.iter().flatten().count();
        let may_begin = self.limit.is_none_or(|limit| begun < limit);
        self.has_entry(guard) && is_free && may_begin && self.fresh.is_empty()
    }

    /// Whether the reaper knows the guard.
    fn has_entry(&self, guard: &Guard) -> bool {
        let has_entry = |entry: Entry| self.entries.contains_key(&entry.serial);
        !guard.is_future() && guard.entry.is_some_and(has_entry)
    }

    /// One poll of a driver that may drive. It also polls the orphans that arrive during that poll. If it
    /// `spawns`, it makes a task of each orphan that nobody has begun.
    pub fn drive(&mut self, spawns: bool) {
        self.are_returned = false;
        let begun = std::mem::take(&mut self.begun);
        let mut waiting: Vec<_> =
            begun.into_iter().filter_map(|orphan| self.poll_orphan(orphan)).collect();
        let limit = self.limit.unwrap_or(usize::MAX);
        while waiting.len() + self.tasks.iter().flatten().count() < limit
            && let Some(orphan) = self.fresh.pop_front()
        {
            if spawns {
                self.tasks.push(Some(orphan));
            } else {
                waiting.extend(self.poll_orphan(orphan));
            }
        }
        self.begun = waiting;
    }

    /// One poll of a drain.
    pub fn drain(&mut self) {
        if self.runs == 0 {
            self.drive(false);
        }
    }

    /// Gives the orphan back if it is pending.
    fn poll_orphan(&mut self, mut orphan: Guard) -> Option<Guard> {
        let lane = orphan.entry.and_then(|entry| entry.lane);
        let Some(end) = self.poll(&mut orphan) else { return Some(orphan) };
        self.cleaned += 1;
        if end != End::Ok {
            self.fates[orphan.id].failed.push(lane);
        }
        // The lane is gone if its other orphans were abandoned or lost.
        if let Some(lane) = lane
            && let Some(waiting) = self.lanes.get_mut(&lane)
        {
            let next = waiting.pop_front();
            if next.is_none() {
                self.lanes.remove(&lane);
            }
            self.fresh.extend(next);
        }
        None
    }

    /// One poll of a task. Returns whether it has ended.
    pub fn poll_task_of_run(&mut self, task: usize) -> bool {
        let orphan = self.tasks[task].take();
        self.tasks[task] = orphan.and_then(|orphan| self.poll_orphan(orphan));
        self.tasks[task].is_none()
    }

    /// Whether the model knows the place of the orphan of a dropped task among those in `begun`.
    pub fn may_return(&self) -> bool {
        self.begun.is_empty() || self.are_returned
    }

    /// Drops a task. A driver finishes the cleanup, if there is one.
    pub fn return_orphan(&mut self, task: usize, unwinding: &mut bool) {
        self.are_returned = true;
        let orphan = self.tasks[task].take();
        self.begun.extend(orphan);
        self.lose_orphans(unwinding);
    }

    /// Takes out all orphans that no task has, in the order of adoption.
    fn take_orphans(&mut self) -> Vec<Guard> {
        let mut orphans = std::mem::take(&mut self.begun);
        orphans.extend(std::mem::take(&mut self.fresh));
        orphans.extend(std::mem::take(&mut self.lanes).into_values().flatten());
        orphans.sort_by_key(Guard::serial);
        orphans
    }

    /// The reaper closes, and abandons everything. Returns the names.
    pub fn abandon(&mut self) -> Vec<Named> {
        self.closed = true;
        let names = std::mem::take(&mut self.entries).into_values().collect();
        let spawned: Vec<_> = self.tasks.iter_mut().filter_map(Option::take).collect();
        self.begun.extend(spawned);
        for mut orphan in self.take_orphans() {
            self.settle(orphan.id, Settled::Named);
            // A panic of the content is caught.
            self.lose_content(&mut orphan.content, &mut false);
        }
        names
    }

    /// Reports the orphans that are left if there is no driver any more.
    pub fn lose_orphans(&mut self, unwinding: &mut bool) {
        if self.has_driver() {
            return;
        }
        let orphans = self.take_orphans();
        for orphan in &orphans {
            self.entries.remove(&orphan.serial());
        }
        let before = *unwinding;
        for mut orphan in orphans {
            // A panic of one has no effect on the others.
            let (mut by_report, mut by_drop) = (before, before);
            let (id, kind) = (orphan.id, GuardKind::WithoutReaper);
            self.report(id, Cause::ReaperGone, kind, &mut by_report);
            self.lose_content(&mut orphan.content, &mut by_drop);
            if by_drop && !before {
                self.fates[id].failed.push(orphan.entry.and_then(|entry| entry.lane));
            }
            *unwinding |= by_report;
        }
    }

    /// The things that this guard may have in common with others.
    fn links(&self, guard: &Guard) -> Vec<Link> {
        let lane = guard.entry.and_then(|entry| entry.lane).map(Link::Lane);
        lane.into_iter().chain(self.links_of(&guard.content)).collect()
    }

    pub fn links_of(&self, content: &Content) -> Vec<Link> {
        match content {
            Content::Value(value) => {
                value.inner.iter().flat_map(|inner| self.links(inner)).collect()
            }
            Content::Arc(Handle::Shared(place)) | Content::Share(place) => {
                let value = self.shared[*place].value.iter();
                let links = value.flat_map(|value| self.links(value));
                links.chain([Link::Shared(*place)]).collect()
            }
            Content::Arc(Handle::Last(inner)) | Content::Wrap(inner) => self.links(inner),
            Content::Row(row) => {
                let entries = row.entries.iter().map(|(_, guard)| guard);
                let held = row.held.iter().map(|(guard, _)| guard);
                entries.chain(held).flat_map(|guard| self.links(guard)).collect()
            }
            Content::Stack(stack) => {
                stack.guards.iter().flat_map(|guard| self.links(guard)).collect()
            }
            Content::Arc(Handle::Gone)
            | Content::Opening(_)
            | Content::Shield(_)
            | Content::Via(_)
            | Content::Gone => Vec::new(),
        }
    }

    /// Whether the guard has something in common with a guard in the content.
    pub fn collide(&self, guard: &Guard, content: &Content) -> bool {
        let links = self.links_of(content);
        self.links(guard).iter().any(|link| links.contains(link))
    }
}
