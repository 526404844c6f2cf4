//! The clients' record: the acknowledged writes, and the writes without a reply, which may be stored
//! or not.

use std::collections::HashMap;

/// A change of a row: its key, and its new value, or `None` if the row is deleted.
pub(super) type Change = (String, Option<String>);

/// The record of all clients. Only one client writes each key.
#[derive(Default)]
pub(super) struct Ledger {
    /// The rows after all acknowledged writes.
    rows: HashMap<String, String>,
    /// The requests without a reply: each one is a write or a whole transaction.
    open: HashMap<usize, Vec<Change>>,
    next: usize,
    /// Single writes.
    pub(super) writes: Counts,
    pub(super) transactions: Counts,
    /// The number of correct replies to other requests, such as reads and bad lines.
    pub(super) others: usize,
    /// The wrong replies.
    pub(super) surprises: Vec<String>,
}

/// The numbers of writes or of transactions, by their reply.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) acknowledged: usize,
    pub(super) refused: usize,
    pub(super) rolled_back: usize,
}

/// The stored rows, compared with the ledger.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) expected: usize,
    pub(super) stored: usize,
    /// Acknowledged, but not stored, or with another value.
    pub(super) lost: usize,
    /// Stored, but never written, or rolled back, refused or deleted.
    pub(super) unexpected: usize,
    /// Without a reply, and stored.
    pub(super) open_stored: usize,
    /// Without a reply, and not stored.
    pub(super) open_not_stored: usize,
    /// Without a reply, and stored in part.
    pub(super) open_in_part: usize,
}

impl Ledger {
    /// Records a write or a COMMIT before it is sent.
    pub(super) fn send(&mut self, changes: Vec<Change>) -> usize {
        self.next += 1;
        self.open.insert(self.next, changes);
        self.next
    }

    /// Records an OK.
    pub(super) fn acknowledge(&mut self, write: usize, is_transaction: bool) {
        let changes = self.open.remove(&write).expect("a write is answered once");
        apply(&mut self.rows, &changes);
        self.counts(is_transaction).acknowledged += 1;
    }

    /// Records an ERROR: the write must not be stored.
    pub(super) fn refuse(&mut self, write: usize, is_transaction: bool) {
        self.open.remove(&write).expect("a write is answered once");
        self.counts(is_transaction).refused += 1;
    }

    /// Returns the last acknowledged value.
    pub(super) fn value(&self, key: &str) -> Option<&String> {
        self.rows.get(key)
    }

    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    fn counts(&mut self, is_transaction: bool) -> &mut Counts {
        if is_transaction { &mut self.transactions } else { &mut self.writes }
    }

    /// Compares the ledger with the stored rows.
    pub(super) fn compare(&self, stored: &HashMap<String, String>) -> Comparison {
        let mut expected = self.rows.clone();
        let mut comparison = Comparison::default();
        for changes in self.open.values() {
            // Each value is written only once, so the old and the new value differ.
            let arrived = changes.iter().filter(|(key, new)| stored.get(key) == new.as_ref());
            match arrived.count() {
                0 => comparison.open_not_stored += 1,
                all if all == changes.len() => {
                    comparison.open_stored += 1;
                    apply(&mut expected, changes);
                }
                _part => comparison.open_in_part += 1,
            }
        }
        let differs = |key: &String| stored.get(key) != expected.get(key);
        comparison.lost = expected.keys().filter(|key| differs(key)).count();
        comparison.unexpected = stored.keys().filter(|key| !expected.contains_key(*key)).count();
        (comparison.expected, comparison.stored) = (expected.len(), stored.len());
        comparison
    }
}

impl Comparison {
    pub(super) fn agrees(&self) -> bool {
        self.expected == self.stored && (self.lost, self.unexpected, self.open_in_part) == (0, 0, 0)
    }
}

fn apply(rows: &mut HashMap<String, String>, changes: &[Change]) {
    for (key, new) in changes {
        match new {
            Some(value) => rows.insert(key.clone(), value.clone()),
            None => rows.remove(key),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn set(key: &str, value: &str) -> Change {
        (key.to_owned(), Some(value.to_owned()))
    }

    /// Returns a ledger with one acknowledged row, one refused row, and a transaction without a reply.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        let acknowledged = ledger.send(vec![set("a", "1")]);
        let refused = ledger.send(vec![set("b", "2")]);
        let _unanswered = ledger.send(vec![set("c", "3"), ("a".to_owned(), None)]);
        ledger.acknowledge(acknowledged, false);
        ledger.refuse(refused, false);
        ledger
    }

    #[test]
    fn writes_without_a_reply_may_be_stored() {
        let without = ledger().compare(&rows(&[("a", "1")]));
        assert!(without.agrees() && without.open_not_stored == 1, "{without:?}");
        let with = ledger().compare(&rows(&[("c", "3")]));
        assert!(with.agrees() && with.open_stored == 1, "{with:?}");
    }

    #[test]
    fn each_kind_of_disagreement_is_counted() {
        assert_eq!(ledger().compare(&rows(&[])).open_in_part, 1);
        assert_eq!(ledger().compare(&rows(&[("a", "1"), ("c", "3")])).open_in_part, 1);
        assert_eq!(ledger().compare(&rows(&[("a", "other")])).lost, 1);
        assert_eq!(ledger().compare(&rows(&[("a", "1"), ("b", "2")])).unexpected, 1);
        assert_eq!(ledger().compare(&rows(&[("a", "1"), ("c", "4")])).unexpected, 1);
    }
}
