//! What a reaper, its handles and its adopted guards share: who is alive, who is orphaned, and
//! who looks after the orphans.

use std::panic::Location;
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::Instant;

use futures::stream::FuturesUnordered;

use super::drive::Drivers;
use super::job::{Ended, Job};
use super::{Failure, Pending, Report, Stage};
use crate::bomb::report_lost;
use crate::caught::suppress_of;
use crate::hook::Cause;
use crate::kept::tell_each;
use crate::sync::{Mutex, MutexGuard};

mod ticket;

pub(crate) use ticket::Ticket;

/// The common ground. No code of a user runs while its books are open.
pub(crate) struct Yard {
    books: Mutex<Books>,
    /// The cleanups of orphans that are running. Only ever tried: who finds it locked leaves the
    /// work to the one who has it, who is woken by whatever happens.
    pub(super) running: Mutex<FuturesUnordered<Job>>,
    pub(super) drivers: Arc<Drivers>,
}

#[derive(Default)]
struct Books {
    closed: bool,
    abandoned: bool,
    /// Who looks after orphans: the reaper, and every `run`.
    keepers: usize,
    /// By ticket number.
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    /// Orphans that nobody has begun to poll.
    inbox: Vec<Job>,
    report: Report,
}

/// An adopted value, from its adoption to the end of its cleanup.
pub(crate) struct Entry {
    pub(crate) type_name: fn() -> String,
    pub(crate) created_at: Option<&'static Location<'static>>,
    pub(crate) label: Option<Arc<str>>,
    pub(crate) since: Instant,
    pub(crate) stage: Stage,
}

impl Entry {
    fn to_pending(&self) -> Pending {
        Pending {
            type_name: (self.type_name)(),
            created_at: self.created_at,
            label: self.label.clone(),
            age: self.since.elapsed(),
            stage: self.stage,
        }
    }
}

impl Books {
    fn pending(&self) -> Vec<Pending> {
        let mut entries: Vec<&Entry> = self.entries.iter().flatten().collect();
        entries.sort_by_key(|entry| entry.since);
        entries.into_iter().map(Entry::to_pending).collect()
    }

    fn is_empty(&self) -> bool {
        self.entries.len() == self.free.len()
    }

    fn add(&mut self, entry: Entry) -> usize {
        if let Some(number) = self.free.pop() {
            self.entries[number] = Some(entry);
            return number;
        }
        self.entries.push(Some(entry));
        self.entries.len() - 1
    }

    fn entry(&mut self, number: usize) -> Option<&mut Entry> {
        self.entries.get_mut(number)?.as_mut()
    }

    fn remove(&mut self, number: usize) -> Option<Entry> {
        let entry = self.entries.get_mut(number)?.take()?;
        self.free.push(number);
        Some(entry)
    }
}

impl Yard {
    /// Kept by the reaper that makes it.
    pub(super) fn new() -> Self {
        Self {
            books: Mutex::new(Books { keepers: 1, ..Books::default() }),
            running: Mutex::new(FuturesUnordered::new()),
            drivers: Arc::default(),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The running cleanups, unless a driver is at work. One whose waker panicked has left them as
    /// they were.
    pub(super) fn try_running(&self) -> Option<MutexGuard<'_, FuturesUnordered<Job>>> {
        match self.running.try_lock() {
            Ok(running) => Some(running),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// A ticket for what `entry` says, unless the reaper is closed.
    pub(crate) fn admit(self: &Arc<Self>, entry: Entry) -> Option<Ticket> {
        let mut books = self.books();
        if books.closed {
            return None;
        }
        let number = books.add(entry);
        drop(books);
        Some(Ticket::new(Arc::clone(self), number))
    }

    pub(super) fn pending(&self) -> Vec<Pending> {
        self.books().pending()
    }

    /// Nothing adopted is alive or pending.
    pub(super) fn is_empty(&self) -> bool {
        self.books().is_empty()
    }

    /// And nothing will be.
    pub(super) fn is_over(&self) -> bool {
        let books = self.books();
        books.closed && books.is_empty()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.books().closed
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.books().abandoned
    }

    pub(super) fn close(&self) {
        self.books().closed = true;
        self.drivers.wake_all();
    }

    pub(super) fn take_report(&self) -> Report {
        std::mem::take(&mut self.books().report)
    }

    pub(super) fn take_inbox(&self) -> Vec<Job> {
        std::mem::take(&mut self.books().inbox)
    }

    /// An orphan was cleaned up.
    pub(super) fn ended(&self, Ended { number, failure }: Ended) {
        let mut books = self.books();
        // It may have been abandoned while its last poll went on.
        let Some(entry) = books.remove(number) else { return };
        books.report.cleaned += 1;
        if let Some(failure) = failure {
            let failure = failure.of((entry.type_name)(), entry.created_at, entry.label);
            books.report.failures.push(failure);
        }
        let is_empty = books.is_empty();
        drop(books);
        if is_empty {
            self.drivers.wake_all();
        }
    }

    /// One more looks after orphans.
    pub(super) fn join(&self) {
        self.books().keepers += 1;
    }

    /// One less. The last one names what is lost.
    pub(super) fn leave(&self) {
        let mut books = self.books();
        books.keepers -= 1;
        let is_last = books.keepers == 0;
        drop(books);
        if !is_last {
            return;
        }
        let Report { abandoned, failures, .. } = self.abandon();
        let orphans = abandoned.into_iter().filter(|orphan| orphan.stage == Stage::Orphaned);
        let lost = orphans.map(Lost::Orphan);
        tell_each(failures.into_iter().map(Lost::Failure).chain(lost), |lost| lost.tell());
    }

    pub(super) fn abandon(&self) -> Report {
        let mut books = self.books();
        (books.closed, books.abandoned) = (true, true);
        let abandoned = books.pending();
        let mut entries = std::mem::take(&mut books.entries);
        books.free.clear();
        let inbox = std::mem::take(&mut books.inbox);
        let mut report = std::mem::take(&mut books.report);
        drop(books);
        report.abandoned = abandoned;
        // A driver that is at work drops what it has once it sees that it was abandoned.
        let running = self.try_running().map(|mut running| std::mem::take(&mut *running));
        for job in inbox.into_iter().chain(running.into_iter().flatten()) {
            // Without a name if it was abandoned before, by somebody who could not give it up.
            let entry = entries.get_mut(job.number()).and_then(Option::take);
            let failure = job.give_up().map(|failure| match entry {
                Some(entry) => failure.of((entry.type_name)(), entry.created_at, entry.label),
                None => *failure,
            });
            report.failures.extend(failure);
        }
        self.drivers.wake_all();
        report
    }
}

/// What a reaper leaves behind that nobody asks for a report any more.
enum Lost {
    /// Nobody will finish its cleanup.
    Orphan(Pending),
    Failure(Failure),
}

impl Lost {
    fn tell(&self) {
        match self {
            Lost::Orphan(it) => report_lost(&it.type_name, it.created_at, Cause::ReaperGone),
            Lost::Failure(it) => suppress_of(&it.type_name, &it.message),
        }
    }
}
