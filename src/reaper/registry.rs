//! The registry of a reaper: every adopted value, and the cleanups of orphans.
//!
//! # Invariants
//!
//! - One mutex guards everything. Under it no user code runs: no poll, no hook, no formatting, no
//!   `Drop` of a cleanup, an error or a waker, no clone of a foreign waker. A critical section is one call of
//!   [`Registry::update`], which does after the unlock what the section has left in [`Inner::after`].
//! - A cleanup is in its entry unless it is being polled. Only the poller removes the entry of a
//!   cleanup that is being polled.
//! - If an orphan is ready, every driver that may drive is woken or is in a poll: each critical section ends
//!   with [`Inner::announce`], and a driver that leaves ready orphans behind wakes itself.
//! - Keys are never reused, so a late wake of an orphan that has ended finds nothing.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::time::Instant;

use super::Stage;
use super::driver::OrphanWaker;
use super::entry::{Entry, EntryState, Facts};
use super::handle::LaneId;
use super::orphan::{Cleanup, Orphan, Watched, discard};
use super::report::Ended;
use super::slab::{Key, Slab};
use crate::hook::Cause;
use crate::panic::{self, caught, drop_caught, drop_payload};
use crate::shim::{self, Mutex, ThreadId};
use crate::sync::Waiters;

/// State shared by a reaper, its handles, its drivers and its adopted guards.
#[derive(Default)]
pub(crate) struct Registry {
    inner: Mutex<Inner>,
}

impl Registry {
    /// Runs a critical section, and after it what it has left in [`Inner::after`].
    ///
    /// A waker or a hook may panic there. All of them are called, and then the first panic is resumed.
    #[inline]
    pub(super) fn update<R>(&self, section: impl FnOnce(&mut Inner) -> R) -> R {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let result = section(&mut inner);
        inner.announce();
        if !inner.after.is_empty() {
            let after = std::mem::take(&mut inner.after);
            drop(inner);
            AfterUnlock::run_all(after);
        }
        result
    }
}

/// What a critical section leaves to be done after the unlock, because it runs user code.
pub(super) enum AfterUnlock {
    Wake(Waker),
    Drop(Box<dyn Any + Send>),
    /// Report a value whose reaper is gone. If a driver does it between two polls (`in_poll`), a panic of the
    /// hook must not end that driver.
    ReportLost {
        facts: Facts,
        in_poll: bool,
    },
    /// Drop a cleanup that has not ended. A panic of that is a failure.
    Discard {
        facts: Facts,
        cleanup: Cleanup,
    },
}

impl AfterUnlock {
    #[cold]
    pub(super) fn run_all(all: Vec<Self>) {
        panic::for_each(all.into_iter(), Self::run);
    }

    fn run(self) {
        match self {
            Self::Wake(waker) => waker.wake(),
            Self::Drop(foreign) => drop_caught(foreign),
            Self::ReportLost { facts, in_poll: false } => facts.report_lost(Cause::ReaperGone),
            Self::ReportLost { facts, in_poll: true } => {
                caught(|| facts.report_lost(Cause::ReaperGone)).unwrap_or_else(drop_payload);
            }
            Self::Discard { facts, cleanup } => {
                if let Some(mut failure) = discard(cleanup) {
                    failure.set_facts(&facts);
                    failure.report();
                }
            }
        }
    }
}

/// What the mutex guards. Each method is a part of a critical section.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent of each other")]
pub(super) struct Inner {
    pub(super) entries: Slab<Entry>,
    /// Ready orphans whose cleanup the reaper has begun.
    pub(super) woken: VecDeque<Key>,
    /// Ready orphans whose cleanup the reaper has not begun.
    pub(super) fresh: VecDeque<Key>,
    /// The orphans of each lane in the order in which they were orphaned. The first one has its turn.
    pub(super) lanes: BTreeMap<LaneId, VecDeque<Key>>,
    pub(super) last_lane: LaneId,
    /// The waiters for the end of a value that is no orphan yet, by the serial of its key. The cleanup of an orphan
    /// owns its waiters. Few values have any, so they are not in the entries.
    pub(super) waiters: BTreeMap<u64, Vec<shim::Arc<Waiters>>>,
    /// The number of orphans that the reaper has begun and that have not ended.
    pub(super) in_progress: usize,
    pub(super) limit: Option<usize>,
    pub(super) drivers: BTreeMap<u64, DriverState>,
    pub(super) last_driver: u64,
    /// The number of `Run`s.
    pub(super) runs: usize,
    /// The threads that poll orphans now.
    pub(super) polling: Vec<ThreadId>,
    /// Whether the drivers were woken since the first orphan became ready.
    is_announced: bool,
    /// Nothing is adopted any more.
    pub(super) closed: bool,
    /// `abandon` was called: an orphan that is being polled is dropped after its poll.
    pub(super) abandoned: bool,
    /// The `Reaper` was dropped, so nobody reads a report any more.
    pub(super) gone: bool,
    pub(super) ended: Ended,
    pub(super) after: Vec<AfterUnlock>,
}

/// A `Run` or a `Drain`.
pub(super) struct DriverState {
    pub(super) is_run: bool,
    /// `None` while the driver is woken, and before its first poll.
    pub(super) waker: Option<Waker>,
}

/// The number of orphans that one poll of a driver polls. The driver then yields to other tasks.
pub(super) const ROUND: usize = 64;

/// A queue of ready orphans with this capacity keeps its memory while it is empty.
const KEPT_READY: usize = 1_024;

/// What a driver may do in one poll.
pub(super) struct Round {
    /// How many begun orphans it may still take.
    woken: usize,
    /// How many other orphans it may still take.
    pub(super) fresh: usize,
    /// One look at the clock is enough for a round.
    now: Instant,
}

/// The way of a value: registered, orphaned, polled, removed.
impl Inner {
    /// Adds an entry, unless the reaper is closed.
    ///
    /// With `is_inside`, the caller is inside a future that has an entry itself. That was registered before the
    /// reaper was closed, and `drain` waits for it, so this is in time.
    #[inline]
    pub(super) fn register(
        &mut self,
        is_inside: bool,
        facts: impl FnOnce() -> Facts,
    ) -> Option<Key> {
        if self.closed && (!is_inside || self.entries.is_empty()) {
            return None;
        }
        Some(self.entries.insert_with(|| Entry { facts: facts(), state: EntryState::Owned }))
    }

    /// Makes the owner's entry an orphan, which is ready unless an earlier one of its lane is left.
    ///
    /// # Errors
    ///
    /// Returns the cleanup if there is no entry, because `abandon` has named the value. If nobody is left to poll
    /// the cleanup, removes the entry and returns its facts, too.
    #[inline]
    pub(super) fn orphan(
        &mut self,
        key: Key,
        mut cleanup: Cleanup,
        now: Instant,
    ) -> Result<(), Box<(Option<Facts>, Cleanup)>> {
        if !self.waiters.is_empty() {
            cleanup = self.with_waiters(key, cleanup);
        }
        if !self.has_driver() {
            return Err(Box::new((self.remove(key), cleanup)));
        }
        let Some(entry) = self.entries.get_mut(key) else {
            return Err(Box::new((None, cleanup)));
        };
        if !matches!(entry.facts.stage, Stage::Opening | Stage::Shielded) {
            entry.facts.set_stage(Stage::Orphaned, now);
        }
        let owned = std::mem::replace(&mut entry.state, EntryState::Fresh(cleanup));
        // It holds nothing. To drop it costs 20 instructions (`benches/instructions.sh`).
        std::mem::forget(owned);
        let lane = entry.facts.lane();
        if lane.is_none_or(|lane| self.wait_for_turn(lane, key)) {
            // The end of this critical section wakes a driver (`announce`).
            self.fresh.push_back(key);
        }
        Ok(())
    }

    /// Settles the last poll, if `orphan` has been polled, and takes the next orphan out, if there is one.
    ///
    /// If it takes one, no driver is woken: a settled orphan makes at most one other ready. So no orphan is lost
    /// to a waker that panics. Both are in `orphan`: moving them in and out costs 40 instructions
    /// (`benches/instructions.sh`).
    #[inline]
    pub(super) fn settle_and_take_next(
        &mut self,
        orphan: &mut Option<Orphan>,
        round: &mut Round,
    ) -> bool {
        if let Some(polled) = orphan.take() {
            self.settle(polled, round.now);
        }
        let key = if round.woken > 0 && !self.woken.is_empty() {
            round.woken -= 1;
            self.woken.pop_front()
        } else if round.fresh > 0 {
            round.fresh -= 1;
            self.begin_fresh()
        } else {
            None
        };
        *orphan = key.and_then(|key| self.take(key));
        orphan.is_some()
    }

    /// Takes the next fresh orphan out of its queue, unless the limit is reached.
    #[inline]
    pub(super) fn begin_fresh(&mut self) -> Option<Key> {
        if !self.may_begin() {
            return None;
        }
        let key = self.fresh.pop_front()?;
        self.in_progress += 1;
        Some(key)
    }

    /// Takes the cleanup of a ready orphan out of its entry to poll it.
    #[inline]
    fn take(&mut self, key: Key) -> Option<Orphan> {
        let state = &mut self.entries.get_mut(key)?.state;
        let (cleanup, waker) = match std::mem::replace(state, EntryState::Polled { woken: false }) {
            EntryState::Fresh(cleanup) => (cleanup, None),
            EntryState::Woken(cleanup, waker) => (cleanup, waker),
            _ => unreachable!("the queues have the keys of ready orphans"),
        };
        Some(Orphan { key, cleanup: Some(cleanup), waker, failure: None })
    }

    /// Makes a waiting orphan ready.
    pub(super) fn wake(&mut self, key: Key) {
        let Some(Entry { state, .. }) = self.entries.get_mut(key) else { return };
        match std::mem::replace(state, EntryState::Owned) {
            EntryState::Waiting(cleanup, waker) => {
                *state = EntryState::Woken(cleanup, waker);
                self.woken.push_back(key);
            }
            EntryState::Polled { .. } => *state = EntryState::Polled { woken: true },
            other => *state = other,
        }
    }

    /// Settles the poll of an orphan: it has ended, is given up, or is pending.
    #[inline]
    pub(super) fn settle(&mut self, polled: Orphan, now: Instant) {
        let Orphan { key, cleanup, waker, failure } = polled;
        match cleanup {
            None => {
                if let Some(uncounted) = self.ended.add(failure) {
                    self.drop_later(uncounted);
                }
            }
            Some(cleanup) if self.abandoned => self.give_up(key, cleanup),
            Some(cleanup) => return self.put_back(key, cleanup, waker, now),
        }
        self.in_progress -= 1;
        let lane = self.entries.remove(key, |entry| entry.facts.lane()).flatten();
        if let Some(lane) = lane {
            self.pass_turn(lane);
        }
        if self.entries.is_empty() {
            self.wake_drivers(true);
        }
    }

    /// Puts a pending orphan back into its entry: it waits, or was woken during its poll.
    #[inline]
    fn put_back(
        &mut self,
        key: Key,
        cleanup: Cleanup,
        waker: Option<Arc<OrphanWaker>>,
        now: Instant,
    ) {
        let Some(Entry { facts, state }) = self.entries.get_mut(key) else { return };
        if facts.stage == Stage::Orphaned && !facts.cleanup_has_begun {
            facts.begin_cleanup(now);
        }
        *state = match state {
            EntryState::Polled { woken: true } => {
                self.woken.push_back(key);
                EntryState::Woken(cleanup, waker)
            }
            _ => EntryState::Waiting(cleanup, waker),
        };
    }

    /// Removes the entry of a value that an owner holds.
    pub(super) fn remove(&mut self, key: Key) -> Option<Facts> {
        let facts = self.entries.remove(key, |entry| entry.facts.clone());
        if let Some(waiters) = self.waiters.remove(&key.serial) {
            self.drop_later(waiters);
        }
        if self.entries.is_empty() {
            self.wake_drivers(true);
        }
        facts
    }

    #[cold]
    pub(super) fn drop_later(&mut self, foreign: impl Any + Send) {
        self.after.push(AfterUnlock::Drop(Box::new(foreign)));
    }

    /// Returns whether the orphan is the first one of its lane.
    #[cold]
    fn wait_for_turn(&mut self, lane: LaneId, key: Key) -> bool {
        let orphans = self.lanes.entry(lane).or_default();
        orphans.push_back(key);
        orphans.len() == 1
    }

    #[cold]
    fn pass_turn(&mut self, lane: LaneId) {
        // `abandon` has removed the lane of an orphan that was being polled.
        let Some(orphans) = self.lanes.get_mut(&lane) else { return };
        orphans.pop_front();
        match orphans.front() {
            Some(&next) => self.fresh.push_back(next),
            None => drop(self.lanes.remove(&lane)),
        }
    }

    /// Keeps the waiters of a value that an owner holds. Returns them if there is no entry.
    pub(super) fn keep(
        &mut self,
        key: Key,
        waiters: shim::Arc<Waiters>,
    ) -> Option<shim::Arc<Waiters>> {
        if self.entries.get_mut(key).is_none() {
            return Some(waiters);
        }
        self.waiters.entry(key.serial).or_default().push(waiters);
        None
    }

    /// The waiters are dropped after the cleanup from now on.
    #[cold]
    fn with_waiters(&mut self, key: Key, cleanup: Cleanup) -> Cleanup {
        match self.waiters.remove(&key.serial) {
            None => cleanup,
            Some(waiters) => Box::pin(Watched { cleanup, waiters }),
        }
    }
}

/// Who may poll, and who is woken.
impl Inner {
    pub(super) fn add_driver(&mut self, is_run: bool) -> u64 {
        self.last_driver += 1;
        self.drivers.insert(self.last_driver, DriverState { is_run, waker: None });
        self.runs += usize::from(is_run);
        self.last_driver
    }

    /// Removes a driver. If it is the last `Run`, every `drain` may drive from now on.
    pub(super) fn remove_driver(&mut self, id: u64) {
        let Some(DriverState { is_run, waker }) = self.drivers.remove(&id) else { return };
        self.runs -= usize::from(is_run);
        if is_run && self.runs == 0 {
            self.wake_drivers(true);
        }
        if let Some(waker) = waker {
            self.drop_later(waker);
        }
        self.lose_orphans();
    }

    /// Begins a round on this thread.
    pub(super) fn begin_round(&mut self, id: u64, thread: ThreadId) -> Round {
        let mut round = Round { woken: 0, fresh: 0, now: Instant::now() };
        if self.may_drive(id, thread) {
            // Begun work goes first, but it leaves one place to the rest.
            round.woken = self.woken.len().min(ROUND - 1);
            round.fresh = self.fresh.len().min(ROUND - round.woken);
        }
        self.polling.push(thread);
        round
    }

    /// Ends a round: stores the waker of the driver and looks once more, in one critical section. Returns
    /// whether the driver may poll orphans that are ready.
    ///
    /// The last `Run` may have been dropped during the round of a `Drain`, which then had no waker to be woken
    /// by. So this decides again whether the driver may drive.
    pub(super) fn end_round(&mut self, id: u64, thread: ThreadId, waker: Waker) -> bool {
        self.stop_polling(thread);
        // Gives back the memory of a spike.
        for queue in [&mut self.woken, &mut self.fresh] {
            if queue.is_empty() && queue.capacity() > KEPT_READY {
                *queue = VecDeque::new();
            }
        }
        let driver =
            self.drivers.get_mut(&id).expect("a driver is in the list until it is dropped");
        if let Some(previous) = driver.waker.replace(waker) {
            self.drop_later(previous);
        }
        self.is_ready() && self.may_drive(id, thread)
    }

    pub(super) fn stop_polling(&mut self, thread: ThreadId) {
        if let Some(index) = self.polling.iter().position(|polling| *polling == thread) {
            self.polling.swap_remove(index);
        }
    }

    /// Returns whether a driver on this thread may poll orphans.
    ///
    /// A `Drain` may not while a `Run` exists. No driver may inside the poll of an orphan: each of these
    /// orphans could drain, too, and overflow the stack.
    fn may_drive(&self, id: u64, thread: ThreadId) -> bool {
        let is_run = self.drivers.get(&id).is_some_and(|driver| driver.is_run);
        (is_run || self.runs == 0) && !self.polling.contains(&thread)
    }

    pub(super) fn has_driver(&self) -> bool {
        !self.gone || self.runs > 0
    }

    fn is_ready(&self) -> bool {
        !self.woken.is_empty() || (!self.fresh.is_empty() && self.may_begin())
    }

    fn may_begin(&self) -> bool {
        self.limit.is_none_or(|limit| self.in_progress < limit)
    }

    /// Wakes the drivers that may drive, if the first orphan has become ready. Once is enough: a driver looks again
    /// at the end of its round.
    #[inline]
    fn announce(&mut self) {
        let is_ready = self.is_ready();
        if is_ready && !self.is_announced {
            self.wake_drivers(self.runs == 0);
        }
        self.is_announced = is_ready;
    }

    /// Wakes every `Run`, and every `Drain` if `drains` is set.
    #[cold]
    pub(super) fn wake_drivers(&mut self, drains: bool) {
        let drivers = self.drivers.values_mut().filter(|driver| driver.is_run || drains);
        self.after.extend(drivers.filter_map(|driver| driver.waker.take()).map(AfterUnlock::Wake));
    }
}
