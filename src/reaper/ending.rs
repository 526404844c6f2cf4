//! The end of a reaper: it abandons values, or loses them because no driver is left.

use std::collections::{BTreeMap, VecDeque};

use super::Report;
use super::entry::{Entry, EntryState};
use super::orphan::{Cleanup, discard};
use super::registry::{AfterUnlock, Inner, Registry};
use super::report::to_pending;
use super::slab::Key;
use crate::panic::{caught, drop_payload};

impl Registry {
    pub(super) fn abandon(&self) -> Report {
        let (entries, mut after, ended, undecided) = self.update(|inner| {
            (inner.closed, inner.abandoned) = (true, true);
            let entries = inner.take_entries(|state| !matches!(state, EntryState::Polled { .. }));
            let waiters = std::mem::take(&mut inner.waiters);
            inner.drop_later(waiters);
            inner.wake_drivers(true);
            let after = std::mem::take(&mut inner.after);
            (entries, after, std::mem::take(&mut inner.ended), inner.entries.len())
        });
        let mut report = ended.into_report();
        report.undecided = undecided;
        let named = entries.iter().map(|(key, entry)| (*key, entry.facts.clone())).collect();
        report.abandoned.extend(to_pending(named));
        for (_, Entry { facts, mut state }) in entries {
            let (cleanup, task) = state.take();
            after.extend(task.map(AfterUnlock::Wake));
            let Some(mut failure) = cleanup.and_then(discard) else { continue };
            failure.set_facts(&facts);
            report.failures.push(failure);
        }
        // The report must not be lost to a waker that panics.
        caught(|| AfterUnlock::run_all(after)).unwrap_or_else(drop_payload);
        report
    }
}

impl Inner {
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.wake_drivers(true);
    }

    /// Notes that the `Reaper` is dropped. Reports what no report will name any more.
    pub(super) fn remove_reaper(&mut self) {
        self.gone = true;
        for (_, facts) in std::mem::take(&mut self.ended.abandoned) {
            self.after.push(AfterUnlock::ReportLost { facts, in_poll: false });
        }
        self.lose_orphans();
    }

    /// Reports the orphans that nobody will poll, because no driver is left, and drops them.
    pub(super) fn lose_orphans(&mut self) {
        if self.has_driver() {
            return;
        }
        let lost = self.take_entries(|state| {
            matches!(state, EntryState::Fresh(_) | EntryState::Waiting(..) | EntryState::Woken(..))
        });
        for (_, Entry { facts, mut state }) in lost {
            let (cleanup, _no_task) = state.take();
            self.after.push(AfterUnlock::ReportLost { facts: facts.clone(), in_poll: false });
            self.after.extend(cleanup.map(|cleanup| AfterUnlock::Discard { facts, cleanup }));
        }
    }

    /// Names an orphan that was abandoned during its poll, and did not end in that poll.
    #[cold]
    pub(super) fn give_up(&mut self, key: Key, cleanup: Cleanup) {
        let Some(Entry { facts, .. }) = self.entries.get_mut(key) else { return };
        let facts = facts.clone();
        if self.gone {
            self.after.push(AfterUnlock::ReportLost { facts: facts.clone(), in_poll: true });
        } else {
            self.ended.abandoned.push((key, facts.clone()));
        }
        self.after.push(AfterUnlock::Discard { facts, cleanup });
    }

    /// Takes out the entries in some states, in the order of adoption. It empties the queues and the lanes, so
    /// none of the other entries may be in one.
    fn take_entries(&mut self, is_chosen: impl Fn(&EntryState) -> bool) -> Vec<(Key, Entry)> {
        let entries = self.entries.iter().filter(|(_, entry)| is_chosen(&entry.state));
        let mut keys: Vec<Key> = entries.map(|(key, _)| key).collect();
        keys.sort_unstable();
        let take = |Entry { facts, state }: &mut Entry| {
            let state = std::mem::replace(state, EntryState::Owned);
            Entry { facts: facts.clone(), state }
        };
        let entries = &mut self.entries;
        let taken: Vec<_> =
            keys.into_iter().filter_map(|key| Some((key, entries.remove(key, take)?))).collect();
        (self.woken, self.fresh) = (VecDeque::new(), VecDeque::new());
        self.lanes = BTreeMap::new();
        self.in_progress -= taken.iter().filter(|(_, entry)| entry.state.is_begun()).count();
        taken
    }
}
