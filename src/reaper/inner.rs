//! The state of a reaper that its mutex guards, and every transition of it.
//!
//! Nothing here runs user code: what must be dropped, woken or reported is returned to the caller, which
//! releases the lock first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::driver::OrphanWaker;
use super::entry::{Entry, Identity, Orphan, Poller, Snapshot, Turn};
use super::orphan::{Cleanup, Watched};
use super::slab::{Key, Slab};
use super::{Failure, Stage};
use crate::shim::{self, ThreadId};
use crate::sync::Waiters;

/// The number of a lane; see [`ordered`](super::ReaperHandle::ordered).
pub(super) type LaneId = u64;

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent of each other")]
pub(super) struct Inner {
    pub(super) entries: Slab<Entry>,
    /// Ready orphans whose cleanup the reaper has begun.
    pub(super) resumed: VecDeque<Key>,
    /// Ready orphans whose cleanup the reaper has not begun.
    pub(super) fresh: VecDeque<Key>,
    /// The orphans of each lane in the order in which they were orphaned. The first one has its turn.
    pub(super) lanes: HashMap<LaneId, VecDeque<Key>>,
    pub(super) last_lane: LaneId,
    /// For values that an owner holds. The cleanup of an orphan has its waiters itself. Few values have any,
    /// so they are not in the entries.
    pub(super) waiters: WaitersBySerial,
    /// Whether the drivers were woken since the first orphan became ready.
    pub(super) is_announced: bool,
    /// The number of orphans that the reaper has begun and that have not ended.
    pub(super) in_progress: usize,
    pub(super) limit: Option<usize>,
    pub(super) drivers: Vec<Driver>,
    pub(super) last_driver: u64,
    /// The number of `Run`s.
    pub(super) runs: usize,
    /// The threads that poll orphans now.
    pub(super) polling: Vec<ThreadId>,
    /// Nothing is adopted any more.
    pub(super) closed: bool,
    /// `abandon` was called: an orphan that is being polled is dropped after its poll.
    pub(super) abandoned: bool,
    /// The `Reaper` was dropped, so nobody reads a report any more.
    pub(super) gone: bool,
    pub(super) ended: Ended,
}

/// What the next [`Report`] contains. The names of abandoned values are formatted when it is taken.
#[derive(Default)]
pub(super) struct Ended {
    pub(super) cleaned: usize,
    pub(super) failures: Vec<Failure>,
    pub(super) more_failures: usize,
    pub(super) abandoned: Vec<(Key, Snapshot)>,
}

/// The number of failures that a report keeps. The others are counted.
pub(super) const KEPT_FAILURES: usize = 1_024;

impl Ended {
    /// Keeps the failure, or counts it and returns it to be dropped outside the lock.
    fn add(&mut self, failure: Box<Failure>) -> Option<Box<Failure>> {
        if self.failures.len() < KEPT_FAILURES {
            self.failures.push(*failure);
            return None;
        }
        self.more_failures += 1;
        Some(failure)
    }
}

/// A `Run` or a `Drain`.
pub(super) struct Driver {
    pub(super) id: u64,
    pub(super) is_run: bool,
    /// `None` while the driver is woken, and before its first poll.
    pub(super) waker: Option<Waker>,
}

/// An orphan that a driver or a task has taken out to poll it.
pub(super) struct Taken {
    pub(super) key: Key,
    /// `None` once it has ended.
    pub(super) cleanup: Option<Cleanup>,
    /// `None` before its first poll, and for a task.
    pub(super) waker: Option<Arc<OrphanWaker>>,
    /// Why it has failed.
    pub(super) failure: Option<Box<Failure>>,
}

/// What a driver does next.
pub(super) enum Next {
    /// Poll the orphan that [`Inner::take_ready`] has taken out.
    Poll,
    /// Give the orphan to the spawner of `run_with`.
    Spawn(Key),
}

/// An orphan that was abandoned while it was being polled, and did not end in that poll.
pub(super) struct Abandoned {
    pub(super) identity: Identity,
    pub(super) cleanup: Cleanup,
    /// The reaper is gone, so no report will name it.
    pub(super) is_lost: bool,
}

/// One round of a driver.
#[derive(Default)]
pub(super) struct Round {
    /// How many begun orphans it may still take.
    pub(super) resumed: usize,
    /// How many other orphans it may still take.
    pub(super) fresh: usize,
    now: Option<Instant>,
}

impl Round {
    /// The time of the first call. One look at the clock is enough for a round.
    pub(super) fn now(&mut self) -> Instant {
        *self.now.get_or_insert_with(Instant::now)
    }
}

/// A queue of ready orphans with this capacity keeps its memory while it is empty.
const KEPT_READY: usize = 1_024;

/// The number of orphans that one poll of a driver polls. The driver then yields to other tasks.
pub(super) const ROUND: usize = 64;

/// What a driver finds at the end of its round.
pub(super) enum RoundEnd {
    /// Orphans are ready, and the driver may poll them.
    Ready,
    Waiting,
    /// No entry is left.
    Empty {
        closed: bool,
    },
}

#[derive(Default)]
pub(super) struct Settled {
    /// Whether the entry was removed.
    pub(super) removed: bool,
    pub(super) rest: Option<Box<Rest>>,
}

/// What a settled poll leaves to be dropped and reported outside the lock.
#[derive(Default)]
pub(super) struct Rest {
    /// The waker of the task of an orphan that was removed.
    pub(super) waker: Option<Waker>,
    /// A failure that the report only counts.
    pub(super) failure: Option<Box<Failure>>,
    pub(super) abandoned: Option<Abandoned>,
}

/// Those who wait until a value is gone, by the serial of its key.
type WaitersBySerial = HashMap<u64, Vec<shim::Arc<Waiters>>>;

#[inline]
fn take_waiters(waiters: &mut WaitersBySerial, key: Key) -> Option<Vec<shim::Arc<Waiters>>> {
    // Nearly always empty, so this call is worth avoiding.
    if waiters.is_empty() { None } else { waiters.remove(&key.serial) }
}

impl Inner {
    pub(super) fn take_waiters(&mut self, key: Key) -> Option<Vec<shim::Arc<Waiters>>> {
        take_waiters(&mut self.waiters, key)
    }

    pub(super) fn is_ready(&self) -> bool {
        !self.resumed.is_empty() || (!self.fresh.is_empty() && self.may_begin())
    }

    pub(super) fn may_begin(&self) -> bool {
        self.limit.is_none_or(|limit| self.in_progress < limit)
    }

    /// Returns whether a driver on this thread may poll orphans.
    ///
    /// A `Drain` may not while a `Run` exists. No driver may inside the poll of an orphan: each of these
    /// orphans could drain, too, and overflow the stack.
    pub(super) fn may_drive(&self, is_run: bool, thread: ThreadId) -> bool {
        (is_run || self.runs == 0) && !self.polling.contains(&thread)
    }

    pub(super) fn has_driver(&self) -> bool {
        !self.gone || self.runs > 0
    }

    /// Returns the wakers of the drivers that may drive, if the first orphan has become ready, and all wakers if
    /// the last entry was `removed`. Every critical section that may change that ends with this or with
    /// [`announce`](Self::announce).
    #[inline]
    #[must_use = "every waker must be woken after the lock is released"]
    pub(super) fn wakers_due(&mut self, removed: bool) -> Vec<Waker> {
        if removed && self.entries.is_empty() {
            self.is_announced = false;
            return self.take_wakers(true);
        }
        if !self.is_ready() {
            self.is_announced = false;
        }
        self.announce()
    }

    /// As [`wakers_due`](Self::wakers_due), if orphans became ready and none ceased to be ready.
    #[inline]
    #[must_use = "every waker must be woken after the lock is released"]
    pub(super) fn announce(&mut self) -> Vec<Waker> {
        if self.is_announced || !self.is_ready() {
            return Vec::new();
        }
        self.is_announced = true;
        self.take_wakers(self.runs == 0)
    }

    /// Takes the wakers of every `Run`, and of every `Drain` if `drains` is set.
    #[cold]
    pub(super) fn take_wakers(&mut self, drains: bool) -> Vec<Waker> {
        let drivers = self.drivers.iter_mut().filter(|driver| driver.is_run || drains);
        drivers.filter_map(|driver| driver.waker.take()).collect()
    }

    /// Removes an entry. If it is an orphan of a lane, the next one of the lane has its turn.
    ///
    /// Returns the waker of its task, which must be dropped outside the lock. The cleanup must be taken out
    /// before.
    #[inline]
    pub(super) fn remove(&mut self, key: Key) -> Option<Waker> {
        let in_progress = &mut self.in_progress;
        let (task_waker, lane) = self.entries.remove(key, |entry| {
            let Some(orphan) = &mut entry.orphan else { return (None, None) };
            *in_progress -= usize::from(orphan.begun);
            (orphan.poller.task_waker(), entry.facts.identity.lane())
        })?;
        if let Some(lane) = lane {
            self.pass_turn(lane);
        }
        task_waker
    }

    pub(super) fn pass_turn(&mut self, lane: LaneId) {
        // `abandon` has removed the lane of an orphan that was being polled.
        let Some(orphans) = self.lanes.get_mut(&lane) else { return };
        orphans.pop_front();
        let Some(&next) = orphans.front() else {
            self.lanes.remove(&lane);
            return;
        };
        if let Some(orphan) = self.orphan(next) {
            orphan.turn = Turn::Queued;
            self.fresh.push_back(next);
        }
    }

    pub(super) fn orphan(&mut self, key: Key) -> Option<&mut Orphan> {
        self.entries.get_mut(key)?.orphan.as_mut()
    }

    /// Makes the owner's entry an orphan, which is ready unless an earlier one of its lane is left.
    ///
    /// Returns the cleanup if there is no entry, because `abandon` has named the value.
    pub(super) fn add_orphan(
        &mut self,
        key: Key,
        cleanup: Cleanup,
        now: Instant,
    ) -> Option<Cleanup> {
        let Some(entry) = self.entries.get_mut(key) else { return Some(cleanup) };
        if !matches!(entry.facts.stage, Stage::Opening | Stage::Shielded) {
            entry.facts.set_stage(Stage::Orphaned, now);
        }
        let turn = match entry.facts.identity.lane() {
            None => Turn::Queued,
            Some(lane) => {
                let orphans = self.lanes.entry(lane).or_default();
                orphans.push_back(key);
                if orphans.len() == 1 { Turn::Queued } else { Turn::Blocked }
            }
        };
        if turn == Turn::Queued {
            self.fresh.push_back(key);
        }
        let cleanup = match take_waiters(&mut self.waiters, key) {
            None => cleanup,
            Some(waiters) => Box::pin(Watched { cleanup, waiters }),
        };
        let poller = Poller::Driver(None);
        entry.orphan = Some(Orphan { cleanup: Some(cleanup), turn, poller, begun: false });
        None
    }

    /// Takes the next ready orphan out, into `orphan`. With `spawns`, one that is not begun stays in its
    /// entry, for the task that the caller spawns.
    #[inline]
    pub(super) fn take_ready(
        &mut self,
        orphan: &mut Option<Taken>,
        round: &mut Round,
        spawns: bool,
    ) -> Option<Next> {
        if round.resumed > 0 && !self.resumed.is_empty() {
            round.resumed -= 1;
            let key = self.resumed.pop_front()?;
            *orphan = Some(self.take(key)?);
            return Some(Next::Poll);
        }
        if round.fresh == 0 || !self.may_begin() {
            return None;
        }
        round.fresh -= 1;
        let key = self.fresh.pop_front()?;
        self.in_progress += 1;
        let fresh = self.entries.get_mut(key)?.orphan.as_mut()?;
        fresh.begun = true;
        if spawns {
            fresh.turn = Turn::Waiting;
            fresh.poller = Poller::Task(None);
            return Some(Next::Spawn(key));
        }
        *orphan = Some(fresh.take(key)?);
        Some(Next::Poll)
    }

    pub(super) fn take(&mut self, key: Key) -> Option<Taken> {
        self.orphan(key)?.take(key)
    }

    /// Settles the poll of an orphan.
    pub(super) fn settle(&mut self, polled: Taken, now: impl FnOnce() -> Instant) -> Settled {
        let mut settled = Settled::default();
        let Taken { key, cleanup, waker, failure } = polled;
        if let Some(cleanup) = cleanup {
            if self.abandoned {
                settled.removed = true;
                let waker = self.orphan(key).and_then(|orphan| orphan.poller.task_waker());
                let abandoned = self.give_up(key, cleanup);
                settled.rest = Some(Box::new(Rest { waker, failure: None, abandoned }));
            } else {
                self.put_back(key, cleanup, waker, now);
            }
        } else {
            settled.removed = true;
            self.ended.cleaned += 1;
            let waker = self.remove(key);
            let failure = failure.and_then(|failure| self.ended.add(failure));
            if waker.is_some() || failure.is_some() {
                settled.rest = Some(Box::new(Rest { waker, failure, abandoned: None }));
            }
        }
        settled
    }

    /// Puts a pending orphan back into its entry.
    fn put_back(
        &mut self,
        key: Key,
        cleanup: Cleanup,
        waker: Option<Arc<OrphanWaker>>,
        now: impl FnOnce() -> Instant,
    ) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if entry.facts.stage == Stage::Orphaned && !entry.facts.cleanup_has_begun {
            entry.facts.begin_cleanup(now());
        }
        let Some(orphan) = &mut entry.orphan else { return };
        let woken = orphan.turn == Turn::Polled { woken: true };
        orphan.cleanup = Some(cleanup);
        if waker.is_some() {
            orphan.poller = Poller::Driver(waker);
        }
        orphan.turn = if woken { Turn::Queued } else { Turn::Waiting };
        if woken {
            self.resumed.push_back(key);
        }
    }

    /// Removes a pending orphan that was abandoned during its poll.
    fn give_up(&mut self, key: Key, cleanup: Cleanup) -> Option<Abandoned> {
        let facts = self.entries.remove(key, |entry| entry.facts.clone())?;
        self.in_progress -= 1;
        let (identity, is_lost) = (facts.identity.clone(), self.gone);
        if !is_lost {
            self.ended.abandoned.push((key, facts));
        }
        Some(Abandoned { identity, cleanup, is_lost })
    }

    pub(super) fn stop_polling(&mut self, thread: ThreadId) {
        if let Some(index) = self.polling.iter().position(|polling| *polling == thread) {
            self.polling.swap_remove(index);
        }
    }

    /// Gives back the memory of a spike.
    pub(super) fn shrink(&mut self) {
        for queue in [&mut self.resumed, &mut self.fresh] {
            if queue.is_empty() && queue.capacity() > KEPT_READY {
                *queue = VecDeque::new();
            }
        }
    }

    /// Takes out the orphans that nobody will poll, because no driver is left.
    pub(super) fn take_lost(&mut self) -> Vec<(Key, Entry)> {
        if self.has_driver() {
            return Vec::new();
        }
        self.take_entries(|entry| {
            entry.orphan.as_ref().is_some_and(|orphan| {
                !matches!(orphan.turn, Turn::Polled { .. })
                    && !matches!(orphan.poller, Poller::Task(_))
            })
        })
    }

    /// Takes out some entries, in the order of adoption. None of those that stay may be ready or blocked.
    pub(super) fn take_entries(&mut self, takes: impl Fn(&Entry) -> bool) -> Vec<(Key, Entry)> {
        let mut keys: Vec<Key> =
            self.entries.iter().filter(|(_, entry)| takes(entry)).map(|(key, _)| key).collect();
        keys.sort_unstable();
        let entries = &mut self.entries;
        let removed: Vec<_> = keys
            .into_iter()
            .filter_map(|key| Some((key, entries.remove(key, Entry::take)?)))
            .collect();
        (self.resumed, self.fresh) = (VecDeque::new(), VecDeque::new());
        self.is_announced = false;
        self.lanes = HashMap::new();
        let begun = |entry: &Entry| entry.orphan.as_ref().is_some_and(|orphan| orphan.begun);
        self.in_progress -= removed.iter().filter(|(_, entry)| begun(entry)).count();
        removed
    }
}
