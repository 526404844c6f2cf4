//! What an adopted guard holds of its reaper.

use std::sync::Arc;

use super::{Entry, Yard};
use crate::reaper::job::Job;
use crate::reaper::{Cleanup, Stage};

/// The right to be looked after. Dropped, nothing is owed any more.
#[expect(missing_debug_implementations, reason = "cannot be named outside of the crate")]
pub struct Ticket {
    yard: Arc<Yard>,
    /// Away once it was handed over.
    number: Option<usize>,
}

impl Ticket {
    pub(super) fn new(yard: Arc<Yard>, number: usize) -> Self {
        Self { yard, number: Some(number) }
    }

    /// A ticket for another value of the same owner, whether the reaper is closed or not. It has
    /// the label of this one.
    pub(crate) fn sibling(&self, mut entry: Entry) -> Option<Ticket> {
        let mut books = self.yard.books();
        if books.abandoned {
            return None;
        }
        let own = self.number.and_then(|number| books.entry(number));
        entry.label = own.and_then(|own| own.label.clone());
        let number = books.add(entry);
        drop(books);
        Some(Ticket::new(Arc::clone(&self.yard), number))
    }

    /// Changes the entry, unless it was abandoned.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(number) = self.number {
            if let Some(entry) = self.yard.books().entry(number) {
                change(entry);
            }
        }
    }

    /// Leaves the rest to the reaper.
    ///
    /// # Errors
    ///
    /// The cleanup comes back if the reaper has gone or has given up.
    pub(crate) fn hand_over(mut self, cleanup: Cleanup) -> Result<(), Cleanup> {
        let number = self.number.take().expect("a ticket is handed over once");
        let mut books = self.yard.books();
        let Some(entry) = books.entry(number) else {
            return Err(cleanup);
        };
        entry.stage = Stage::Orphaned;
        let is_first = books.inbox.is_empty();
        books.inbox.push(Job::new(number, cleanup));
        drop(books);
        // For the others in there all were woken when the first one came, and nobody has since.
        if is_first {
            self.yard.drivers.wake_all();
        }
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut books = self.yard.books();
        books.remove(number);
        let is_empty = books.is_empty();
        drop(books);
        if is_empty {
            self.yard.drivers.wake_all();
        }
    }
}
