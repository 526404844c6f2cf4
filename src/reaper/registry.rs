//! The registry of a reaper: every adopted value, and the cleanups of orphans.
//!
//! # Invariants
//!
//! - One mutex guards everything. Under it no user code runs: no poll, no hook, no formatting, no
//!   `Drop` of a cleanup, an error or a waker, no clone of a foreign waker. What must be dropped, woken
//!   or reported leaves the critical section first.
//! - A cleanup is in its entry unless it is being polled. Only the poller removes the entry of a
//!   cleanup that is being polled.
//! - If an orphan is ready, every driver that may drive is woken or is in a poll: [`Inner::wakers_due`]
//!   returns their wakers when the first orphan becomes ready, and a driver that leaves ready orphans
//!   behind wakes itself.
//! - Keys are never reused, so a late wake of an orphan that has ended finds nothing.

use std::panic::resume_unwind;
use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::time::Instant;

use super::entry::{Entry, Identity, Orphan, Poller, Snapshot, Turn, to_pending};
use super::inner::{
    Abandoned, Driver, Ended, Inner, LaneId, Next, ROUND, Rest, Round, RoundEnd, Settled, Taken,
};
use super::orphan::discard;
use super::slab::Key;
use super::{Failure, Pending, Registration, Report, Stage};
use crate::panic::{self, caught, drop_caught, drop_payload};
use crate::shim::{Mutex, MutexGuard, ThreadId};

/// State shared by a reaper, its handles, its drivers and its adopted guards.
#[derive(Default)]
pub(crate) struct Registry {
    inner: Mutex<Inner>,
}

impl Registry {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry, unless the reaper is closed.
    ///
    /// With `is_inside`, the caller is inside a future that has an entry itself. That was registered before the
    /// reaper was closed, and `drain` waits for it, so this is in time.
    pub(super) fn register(
        self: &Arc<Self>,
        identity: Identity,
        stage: Stage,
        is_inside: bool,
    ) -> Option<Registration> {
        let now = Instant::now();
        let mut inner = self.lock();
        if inner.closed && (!is_inside || inner.entries.is_empty()) {
            return None;
        }
        let key = inner.entries.insert_with(|| Entry::new(identity, stage, now));
        drop(inner);
        Some(Registration::new(self, key))
    }

    pub(super) fn new_lane(&self) -> LaneId {
        let mut inner = self.lock();
        inner.last_lane += 1;
        inner.last_lane
    }

    pub(super) fn set_limit(&self, limit: usize) {
        let mut inner = self.lock();
        inner.limit = Some(limit);
        let wakers = inner.wakers_due(false);
        drop(inner);
        wake_all(wakers);
    }

    /// Returns the entries in the order of adoption, the members of a stack after it.
    pub(super) fn pending(&self) -> Vec<Pending> {
        // The copies are made under the lock, but their memory is allocated before, and everything is
        // sorted and formatted after it.
        let mut copies = Vec::with_capacity(self.lock().entries.len());
        copies.extend(self.lock().entries.iter().map(|(key, entry)| (key, entry.facts.clone())));
        to_pending(copies)
    }

    #[cfg(feature = "testing")]
    pub(super) fn has_orphans(&self) -> bool {
        self.lock().entries.iter().any(|(_, entry)| entry.orphan.is_some())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        let wakers = inner.take_wakers(true);
        drop(inner);
        wake_all(wakers);
    }

    pub(super) fn take_report(&self) -> Report {
        let ended = std::mem::take(&mut self.lock().ended);
        ended.into_report()
    }

    /// Returns the report if nothing is left.
    pub(super) fn report_if_empty(&self) -> Option<Report> {
        let mut inner = self.lock();
        let ended = inner.entries.is_empty().then(|| std::mem::take(&mut inner.ended));
        drop(inner);
        ended.map(Ended::into_report)
    }

    pub(super) fn add_driver(&self, is_run: bool) -> u64 {
        let mut inner = self.lock();
        inner.last_driver += 1;
        let id = inner.last_driver;
        inner.drivers.push(Driver { id, is_run, waker: None });
        inner.runs += usize::from(is_run);
        id
    }

    /// Removes a driver. If it is the last `Run`, every `drain` may drive from now on.
    pub(super) fn remove_driver(&self, id: u64) {
        let mut inner = self.lock();
        let Some(index) = inner.drivers.iter().position(|driver| driver.id == id) else { return };
        let driver = inner.drivers.swap_remove(index);
        inner.runs -= usize::from(driver.is_run);
        let is_last_run = driver.is_run && inner.runs == 0;
        let wakers = if is_last_run { inner.take_wakers(true) } else { Vec::new() };
        let lost = inner.take_lost();
        drop(inner);
        drop(driver);
        report_lost(lost, Vec::new());
        wake_all(wakers);
    }

    /// Notes that the `Reaper` is dropped. Reports what no report will name any more.
    pub(super) fn remove_reaper(&self) {
        let mut inner = self.lock();
        inner.gone = true;
        let lost = inner.take_lost();
        let abandoned = std::mem::take(&mut inner.ended.abandoned);
        drop(inner);
        report_lost(lost, abandoned);
    }

    /// Begins a round on this thread, and returns how many orphans the driver may take.
    pub(super) fn begin_round(&self, is_run: bool, thread: ThreadId) -> Round {
        let mut inner = self.lock();
        let mut round = Round::default();
        if inner.may_drive(is_run, thread) {
            // Begun work goes first, but it leaves one place to the rest.
            round.resumed = inner.resumed.len().min(ROUND - 1);
            round.fresh = inner.fresh.len().min(ROUND - round.resumed);
        }
        inner.polling.push(thread);
        round
    }

    /// Ends a round: stores the waker of the driver and looks once more, in one critical section.
    ///
    /// The last `Run` may have been dropped during the round of a `Drain`, which then had no waker to be woken
    /// by. So this decides again whether the driver may drive.
    pub(super) fn end_round(&self, id: u64, thread: ThreadId, waker: Waker) -> RoundEnd {
        let mut inner = self.lock();
        inner.shrink();
        let driver = inner.drivers.iter_mut().find(|driver| driver.id == id);
        let driver = driver.expect("a driver is in the list until it is dropped");
        let is_run = driver.is_run;
        let previous = driver.waker.replace(waker);
        let end = if inner.entries.is_empty() {
            RoundEnd::Empty { closed: inner.closed }
        } else if inner.is_ready() && inner.may_drive(is_run, thread) {
            RoundEnd::Ready
        } else {
            RoundEnd::Waiting
        };
        drop(inner);
        drop(previous);
        end
    }

    pub(super) fn stop_polling(&self, thread: ThreadId) {
        self.lock().stop_polling(thread);
    }

    /// Settles the last poll of a driver, and takes its next orphan, in one critical section.
    ///
    /// Both are in `orphan`: moving them in and out costs 40 instructions (`benches/instructions.sh`).
    #[inline]
    pub(super) fn step(
        &self,
        orphan: &mut Option<Taken>,
        round: &mut Round,
        spawns: bool,
    ) -> Option<Next> {
        let mut inner = self.lock();
        let settled = match orphan.take() {
            Some(polled) => inner.settle(polled, || round.now()),
            None => Settled::default(),
        };
        let next = inner.take_ready(orphan, round, spawns);
        let wakers = if next.is_none() {
            inner.wakers_due(settled.removed)
        } else {
            // Nobody must be woken: a settled orphan makes at most one other ready, and that is taken.
            inner.is_announced = inner.is_ready();
            Vec::new()
        };
        drop(inner);
        settled.finish();
        wake_all(wakers);
        next
    }

    /// Takes out the orphan of a spawned task. `None` if it has ended or was abandoned.
    pub(super) fn take_for_task(&self, key: Key, waker: Waker, thread: ThreadId) -> Option<Taken> {
        let mut inner = self.lock();
        let taken = inner.take(key)?;
        let mut previous = None;
        if let Some(orphan) = inner.orphan(key) {
            previous = orphan.poller.task_waker();
            orphan.poller = Poller::Task(Some(waker));
        }
        inner.polling.push(thread);
        drop(inner);
        drop(previous);
        Some(taken)
    }

    /// Settles the poll of a spawned task. Returns whether the orphan is still pending.
    pub(super) fn settle_task(&self, polled: Taken, thread: ThreadId) -> bool {
        let mut inner = self.lock();
        inner.stop_polling(thread);
        let settled = inner.settle(polled, Instant::now);
        let is_pending = !settled.removed;
        let wakers = inner.wakers_due(settled.removed);
        drop(inner);
        settled.finish();
        wake_all(wakers);
        is_pending
    }

    /// Makes the orphan of a dropped task ready for the drivers.
    pub(super) fn return_from_task(&self, key: Key) {
        let mut inner = self.lock();
        let mut task_waker = None;
        if let Some(orphan) = inner.orphan(key) {
            task_waker = orphan.poller.task_waker();
            orphan.poller = Poller::Driver(None);
            orphan.turn = Turn::Queued;
            inner.resumed.push_back(key);
        }
        let lost = inner.take_lost();
        let wakers = inner.wakers_due(false);
        drop(inner);
        drop(task_waker);
        report_lost(lost, Vec::new());
        wake_all(wakers);
    }

    /// Makes a waiting orphan ready.
    pub(super) fn wake(&self, key: Key) {
        let mut inner = self.lock();
        let Some(orphan) = inner.orphan(key) else { return };
        match orphan.turn {
            Turn::Waiting if !matches!(orphan.poller, Poller::Task(_)) => {
                orphan.turn = Turn::Queued;
                inner.resumed.push_back(key);
            }
            Turn::Polled { .. } => orphan.turn = Turn::Polled { woken: true },
            _ => {}
        }
        let wakers = inner.announce();
        drop(inner);
        wake_all(wakers);
    }

    /// Tells the hook if the orphan has failed. The entry is still there, so nobody has seen the end of
    /// the cleanup before the hook has.
    #[inline]
    pub(super) fn report_failure(&self, polled: &mut Taken) {
        if let Some(failure) = &mut polled.failure {
            self.report(polled.key, failure);
        }
    }

    #[cold]
    fn report(&self, key: Key, failure: &mut Failure) {
        let mut inner = self.lock();
        let Some(identity) = inner.entries.get_mut(key).map(|entry| entry.facts.identity.clone())
        else {
            return;
        };
        drop(inner);
        failure.set_identity(&identity);
        failure.report();
    }

    pub(super) fn abandon(&self) -> Report {
        let mut inner = self.lock();
        (inner.closed, inner.abandoned) = (true, true);
        let mut entries = inner.take_entries(|entry| {
            !matches!(&entry.orphan, Some(Orphan { turn: Turn::Polled { .. }, .. }))
        });
        let mut wakers = inner.take_wakers(true);
        let (ended, undecided) = (std::mem::take(&mut inner.ended), inner.entries.len());
        let _waiters = std::mem::take(&mut inner.waiters);
        drop(inner);

        let mut report = ended.into_report();
        report.undecided = undecided;
        let named = entries.iter().map(|(key, entry)| (*key, entry.facts.clone())).collect();
        report.abandoned.extend(to_pending(named));
        for (_, entry) in &mut entries {
            let Some(orphan) = &mut entry.orphan else { continue };
            wakers.extend(orphan.poller.task_waker());
            let Some(mut failure) = orphan.cleanup.take().and_then(discard) else { continue };
            failure.set_identity(&entry.facts.identity);
            report.failures.push(*failure);
        }
        // The report must not be lost to a waker that panics.
        caught(|| wake_all(wakers)).unwrap_or_else(drop_payload);
        report
    }
}

impl Settled {
    /// Drops and reports the rest outside the lock.
    #[inline]
    fn finish(self) {
        if let Some(rest) = self.rest {
            rest.finish();
        }
    }
}

impl Rest {
    #[cold]
    fn finish(self) {
        let Self { waker, failure, abandoned } = self;
        drop_caught((waker, failure));
        let Some(Abandoned { identity, cleanup, is_lost }) = abandoned else { return };
        if is_lost {
            caught(|| identity.report_lost()).unwrap_or_else(drop_payload);
        }
        if let Some(mut failure) = discard(cleanup) {
            failure.set_identity(&identity);
            failure.report();
        }
    }
}

impl Ended {
    fn into_report(self) -> Report {
        Report {
            cleaned: self.cleaned,
            failures: self.failures,
            more_failures: self.more_failures,
            abandoned: to_pending(self.abandoned),
            undecided: 0,
        }
    }
}

/// Reports values that no report will name, because the reaper is gone, and drops their cleanups.
pub(super) fn report_lost(lost: Vec<(Key, Entry)>, abandoned: Vec<(Key, Snapshot)>) {
    let abandoned = abandoned.into_iter().map(|(_, facts)| (facts.identity, None));
    let lost = lost
        .into_iter()
        .map(|(_, entry)| (entry.facts.identity, entry.orphan.and_then(|orphan| orphan.cleanup)));
    panic::for_each(abandoned.chain(lost), |(identity, cleanup)| {
        let reported = caught(|| identity.report_lost());
        if let Some(mut failure) = cleanup.and_then(discard) {
            failure.set_identity(&identity);
            failure.report();
        }
        reported.unwrap_or_else(|payload| resume_unwind(payload));
    });
}

/// Wakes all of them, even if one panics. The first panic is resumed, unless the thread is panicking.
#[inline]
pub(super) fn wake_all(wakers: Vec<Waker>) {
    #[cold]
    fn wake(wakers: Vec<Waker>) {
        panic::for_each(wakers.into_iter(), Waker::wake);
    }
    if !wakers.is_empty() {
        wake(wakers);
    }
}
