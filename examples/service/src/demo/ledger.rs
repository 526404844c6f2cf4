//! The clients' record of their transfers, and its comparison with the database.

use std::collections::HashMap;

use crate::store::Transfer;

/// The money that each account begins with.
pub(super) const OPENING: i64 = 1000;

/// The record of all clients.
#[derive(Default)]
pub(super) struct Ledger {
    transfers: HashMap<String, (Transfer, Answer)>,
    /// The number of correct replies to other requests.
    pub(super) others: usize,
    /// The events of the watched accounts, and how many streams ended with a goodbye.
    pub(super) events: usize,
    pub(super) goodbyes: usize,
    /// The wrong replies.
    pub(super) surprises: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    /// None. The transfer may be stored or not.
    Open,
    Acknowledged,
    Refused,
}

/// The content of the database.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) accounts: HashMap<i64, i64>,
    pub(super) transfers: HashMap<String, Transfer>,
}

/// The database, compared with the ledger.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    stored: usize,
    /// Acknowledged, but not stored, or in another way.
    lost: usize,
    /// Stored, but refused or never sent.
    unexpected: usize,
    open_stored: usize,
    open_not_stored: usize,
    money: i64,
    /// The money that the accounts began with.
    expected_money: i64,
    /// The accounts whose balance is not the result of the stored transfers.
    wrong_balances: usize,
}

impl Ledger {
    /// Records a transfer before it is sent.
    pub(super) fn send(&mut self, transfer: Transfer) -> String {
        let id = transfer.id.clone();
        self.transfers.insert(id.clone(), (transfer, Answer::Open));
        id
    }

    pub(super) fn acknowledge(&mut self, id: &str) {
        self.answer(id, Answer::Acknowledged);
    }

    pub(super) fn refuse(&mut self, id: &str) {
        self.answer(id, Answer::Refused);
    }

    fn answer(&mut self, id: &str, answer: Answer) {
        self.transfers.get_mut(id).expect("it was sent").1 = answer;
    }

    pub(super) fn open(&self) -> usize {
        self.count(Answer::Open)
    }

    fn count(&self, answer: Answer) -> usize {
        self.transfers.values().filter(|(_, other)| *other == answer).count()
    }

    pub(super) fn compare(&self, stored: &Stored) -> Comparison {
        let mut comparison = Comparison { stored: stored.transfers.len(), ..Comparison::default() };
        for (id, (transfer, answer)) in &self.transfers {
            let is_stored = stored.transfers.get(id) == Some(transfer);
            match (answer, is_stored) {
                (Answer::Acknowledged, false) => comparison.lost += 1,
                (Answer::Open, true) => comparison.open_stored += 1,
                (Answer::Open, false) => comparison.open_not_stored += 1,
                (Answer::Acknowledged, true) | (Answer::Refused, false) => {}
                (Answer::Refused, true) => comparison.unexpected += 1,
            }
        }
        let never_sent = |id: &&String| !self.transfers.contains_key(*id);
        comparison.unexpected += stored.transfers.keys().filter(never_sent).count();

        let mut balances: HashMap<i64, i64> =
            stored.accounts.keys().map(|&id| (id, OPENING)).collect();
        comparison.expected_money = balances.values().sum();
        comparison.money = stored.accounts.values().sum();
        for transfer in stored.transfers.values() {
            *balances.entry(transfer.source).or_default() -= transfer.amount;
            *balances.entry(transfer.target).or_default() += transfer.amount;
        }
        let is_wrong = |(id, balance): &(&i64, &i64)| stored.accounts.get(*id) != Some(*balance);
        comparison.wrong_balances = balances.iter().filter(is_wrong).count();
        comparison
    }

    pub(super) fn print(&self) {
        let [acknowledged, refused, open] =
            [Answer::Acknowledged, Answer::Refused, Answer::Open].map(|answer| self.count(answer));
        println!("acknowledged             {acknowledged:>7} transfers; {refused} refused");
        println!("not answered             {open:>7}");
        println!("other replies            {:>7}, as expected", self.others);
        println!("events                   {:>7}; {} goodbyes", self.events, self.goodbyes);
        for surprise in &self.surprises {
            println!("a surprise: {surprise}");
        }
    }
}

impl Comparison {
    pub(super) fn agrees(&self) -> bool {
        (self.lost, self.unexpected, self.wrong_balances) == (0, 0, 0)
            && self.money == self.expected_money
    }

    pub(super) fn print(&self) {
        println!(
            "transfers stored         {:>7}: {} lost, {} unexpected; {} without an answer, and {} such not stored",
            self.stored, self.lost, self.unexpected, self.open_stored, self.open_not_stored
        );
        println!(
            "money                    {:>7} in the accounts, {} at the beginning; {} wrong balances",
            self.money, self.expected_money, self.wrong_balances
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(id: &str, amount: i64) -> Transfer {
        Transfer { id: id.to_owned(), source: 1, target: 2, amount }
    }

    /// Returns a ledger with one acknowledged transfer, one that was refused, and one without an answer.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        for id in ["acknowledged", "refused", "open"] {
            ledger.send(transfer(id, 10));
        }
        ledger.acknowledge("acknowledged");
        ledger.refuse("refused");
        ledger
    }

    fn stored(transfers: &[(&str, i64)], moved: i64) -> Comparison {
        let accounts = HashMap::from([(1, OPENING - moved), (2, OPENING + moved)]);
        let transfers = transfers.iter().map(|&(id, amount)| (id.to_owned(), transfer(id, amount)));
        ledger().compare(&Stored { accounts, transfers: transfers.collect() })
    }

    #[test]
    fn transfers_without_an_answer_may_be_stored() {
        let without = stored(&[("acknowledged", 10)], 10);
        assert!(without.agrees() && without.open_not_stored == 1, "{without:?}");
        let with = stored(&[("acknowledged", 10), ("open", 10)], 20);
        assert!(with.agrees() && with.open_stored == 1, "{with:?}");
    }

    #[test]
    fn each_kind_of_disagreement_is_counted() {
        assert_eq!(stored(&[], 0).lost, 1);
        assert_eq!(stored(&[("acknowledged", 11)], 11).lost, 1);
        assert_eq!(stored(&[("acknowledged", 10), ("refused", 10)], 20).unexpected, 1);
        assert_eq!(stored(&[("acknowledged", 10), ("foreign", 10)], 20).unexpected, 1);
        assert_eq!(stored(&[("acknowledged", 10)], 0).wrong_balances, 2);
        let mut made = ledger();
        made.transfers.clear();
        let accounts = HashMap::from([(1, OPENING + 1)]);
        assert!(!made.compare(&Stored { accounts, ..Stored::default() }).agrees());
    }
}
