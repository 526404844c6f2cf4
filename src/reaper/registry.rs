//! The registry of a reaper: its adopted values, and the orphans that wait for a driver.

use std::panic::Location;
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::Instant;

use futures::stream::FuturesUnordered;

use super::driver::WakerSet;
use super::orphan::{Cleanup, Completed, OrphanTask};
use super::{Failure, Pending, Report, Stage};
use crate::guard::Origin;
use crate::hook::{self, Cause};
use crate::shim::{Mutex, MutexGuard};

/// State shared by a reaper, its handles, its drivers and its adopted guards. Never call user code
/// while it is locked.
pub(crate) struct Registry {
    inner: Mutex<Inner>,
    /// The running cleanups of orphans. A driver only ever tries this lock. If it is taken, another
    /// driver polls the orphans, and every event wakes that driver, too.
    pub(super) running: Mutex<FuturesUnordered<OrphanTask>>,
    pub(super) wakers: Arc<WakerSet>,
}

#[derive(Default)]
struct Inner {
    closed: bool,
    abandoned: bool,
    /// Counts the reaper itself and every `run`. At zero, nothing will poll an orphan any more.
    driver_count: usize,
    /// Indexed by key.
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    /// Orphans that are not polled yet.
    incoming: Vec<OrphanTask>,
    report: Report,
}

/// An adopted value, from its adoption to the end of its cleanup.
pub(crate) struct Entry {
    type_name: fn() -> String,
    created_at: Option<&'static Location<'static>>,
    pub(super) label: Option<Arc<str>>,
    since: Instant,
    pub(crate) stage: Stage,
}

impl Entry {
    /// Creates the entry of a value that is adopted now.
    pub(super) fn new<T>(origin: Origin<T>, stage: Stage) -> Self {
        Self {
            type_name: crate::type_name::of::<T>,
            created_at: origin.created_at(),
            label: None,
            since: Instant::now(),
            stage,
        }
    }

    /// Turns the entry of an opening into the entry of the opened value, and keeps the label.
    pub(crate) fn renew<T>(&mut self, origin: Origin<T>) {
        let label = self.label.take();
        *self = Self { label, ..Self::new(origin, Stage::Alive) };
    }

    fn to_pending(&self) -> Pending {
        Pending {
            type_name: (self.type_name)(),
            created_at: self.created_at,
            label: self.label.clone(),
            age: self.since.elapsed(),
            stage: self.stage,
        }
    }

    fn into_failure(self, failure: Failure) -> Failure {
        failure.of((self.type_name)(), self.created_at, self.label)
    }
}

impl Inner {
    fn pending(&self) -> Vec<Pending> {
        let mut entries: Vec<&Entry> = self.entries.iter().flatten().collect();
        entries.sort_by_key(|entry| entry.since);
        entries.into_iter().map(Entry::to_pending).collect()
    }

    fn is_empty(&self) -> bool {
        self.entries.len() == self.free.len()
    }

    fn add(&mut self, entry: Entry) -> usize {
        if let Some(key) = self.free.pop() {
            self.entries[key] = Some(entry);
            return key;
        }
        self.entries.push(Some(entry));
        self.entries.len() - 1
    }

    fn entry(&mut self, key: usize) -> Option<&mut Entry> {
        self.entries.get_mut(key)?.as_mut()
    }

    fn remove(&mut self, key: usize) -> Option<Entry> {
        let entry = self.entries.get_mut(key)?.take()?;
        self.free.push(key);
        Some(entry)
    }
}

impl Registry {
    pub(super) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner { driver_count: 1, ..Inner::default() }),
            running: Mutex::new(FuturesUnordered::new()),
            wakers: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the running cleanups, unless a driver is polling them.
    ///
    /// A panic of a waker poisons the lock, but leaves the cleanups unchanged.
    pub(super) fn try_running(&self) -> Option<MutexGuard<'_, FuturesUnordered<OrphanTask>>> {
        match self.running.try_lock() {
            Ok(running) => Some(running),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Adds an entry, unless the reaper is closed.
    pub(super) fn register(self: &Arc<Self>, entry: Entry) -> Option<Registration> {
        let mut inner = self.lock();
        if inner.closed {
            return None;
        }
        let key = inner.add(entry);
        drop(inner);
        Some(Registration { registry: Arc::clone(self), key: Some(key) })
    }

    pub(super) fn pending(&self) -> Vec<Pending> {
        self.lock().pending()
    }

    /// Returns whether every adopted value is cleaned up.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Returns whether the registry is empty and closed.
    pub(super) fn is_finished(&self) -> bool {
        let inner = self.lock();
        inner.closed && inner.is_empty()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.lock().abandoned
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wakers.wake_all();
    }

    pub(super) fn take_report(&self) -> Report {
        std::mem::take(&mut self.lock().report)
    }

    pub(super) fn take_incoming(&self) -> Vec<OrphanTask> {
        std::mem::take(&mut self.lock().incoming)
    }

    /// Removes the entry of an orphan whose cleanup has ended, and adds it to the report.
    pub(super) fn complete(&self, Completed { key, failure }: Completed) {
        let mut inner = self.lock();
        // There is no entry if `abandon` was called during the last poll.
        let Some(entry) = inner.remove(key) else { return };
        inner.report.cleaned += 1;
        if let Some(failure) = failure {
            inner.report.failures.push(entry.into_failure(*failure));
        }
        let is_empty = inner.is_empty();
        drop(inner);
        if is_empty {
            self.wakers.wake_all();
        }
    }

    pub(super) fn add_driver(&self) {
        self.lock().driver_count += 1;
    }

    /// Removes a driver. The last one reports the orphans, because nothing will clean them up.
    pub(super) fn remove_driver(&self) {
        let mut inner = self.lock();
        inner.driver_count -= 1;
        let is_last = inner.driver_count == 0;
        drop(inner);
        if !is_last {
            return;
        }
        let Report { abandoned, failures, .. } = self.abandon();
        let orphans = abandoned.into_iter().filter(|orphan| orphan.stage == Stage::Orphaned);
        let unreported = failures.into_iter().map(Unreported::Failure);
        hook::report_each(unreported.chain(orphans.map(Unreported::Orphan)), Unreported::report);
    }

    pub(super) fn abandon(&self) -> Report {
        let mut inner = self.lock();
        (inner.closed, inner.abandoned) = (true, true);
        let abandoned = inner.pending();
        let mut entries = std::mem::take(&mut inner.entries);
        inner.free.clear();
        let incoming = std::mem::take(&mut inner.incoming);
        let mut report = std::mem::take(&mut inner.report);
        drop(inner);
        report.abandoned = abandoned;
        // If a driver is polling them, it sees `abandoned` after its round and drops them.
        let running = self.try_running().map(|mut running| std::mem::take(&mut *running));
        for orphan in incoming.into_iter().chain(running.into_iter().flatten()) {
            // There is no entry if an earlier `abandon` ran while a driver polled the orphan.
            let entry = entries.get_mut(orphan.key()).and_then(Option::take);
            let failure = orphan.discard().map(|failure| match entry {
                Some(entry) => entry.into_failure(*failure),
                None => *failure,
            });
            report.failures.extend(failure);
        }
        self.wakers.wake_all();
        report
    }
}

/// An orphan or a failure that no [`Report`] will name.
enum Unreported {
    /// Its cleanup will never end.
    Orphan(Pending),
    Failure(Failure),
}

impl Unreported {
    fn report(self) {
        match self {
            Self::Orphan(it) => {
                hook::report_lost_of(&it.type_name, it.created_at, Cause::ReaperGone);
            }
            Self::Failure(it) => hook::report_suppressed_of(&it.type_name, &it.message),
        }
    }
}

/// Owns the entry of an adopted guard. Dropping this removes the entry: no cleanup is owed then.
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub struct Registration {
    registry: Arc<Registry>,
    /// `None` once the value was orphaned.
    key: Option<usize>,
}

impl Registration {
    /// Changes the entry, unless it was abandoned.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(key) = self.key {
            if let Some(entry) = self.registry.lock().entry(key) {
                change(entry);
            }
        }
    }

    /// Gives the cleanup to the reaper, which begins or resumes it.
    ///
    /// # Errors
    ///
    /// Returns the cleanup if the reaper is gone or was abandoned.
    pub(crate) fn orphan(mut self, cleanup: Cleanup) -> Result<(), Cleanup> {
        let key = self.key.take().expect("a value is orphaned once");
        let mut inner = self.registry.lock();
        let Some(entry) = inner.entry(key) else {
            return Err(cleanup);
        };
        entry.stage = Stage::Orphaned;
        let is_first = inner.incoming.is_empty();
        inner.incoming.push(OrphanTask::new(key, cleanup));
        drop(inner);
        // If the queue was not empty, the first orphan in it has woken all drivers.
        if is_first {
            self.registry.wakers.wake_all();
        }
        Ok(())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut inner = self.registry.lock();
        inner.remove(key);
        let is_empty = inner.is_empty();
        drop(inner);
        if is_empty {
            self.registry.wakers.wake_all();
        }
    }
}
