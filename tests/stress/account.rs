//! The account of a round: every value that was made, and what became of it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use livedrop::reaper::{Pending, Report};
use livedrop::{AsyncDrop, AsyncDropGuard};

use crate::pause;

/// Counts the values of a round.
#[derive(Default)]
pub(crate) struct Account {
    made: AtomicUsize,
    cleaned: AtomicUsize,
    /// Cleanups that failed at their owner.
    failed_at_owner: AtomicUsize,
    /// Cleanups that failed, with an error or a panic.
    failed: AtomicUsize,
    restarted: AtomicUsize,
    out_of_order: AtomicUsize,
    /// The numbers of the values that were dropped before their cleanup had ended.
    unfinished: Mutex<BTreeSet<usize>>,
    pub(crate) shielded: AtomicUsize,
    pub(crate) shielded_to_the_end: AtomicUsize,
    /// The reports of the hook.
    pub(crate) forgotten: AtomicUsize,
    pub(crate) failures_told: AtomicUsize,
}

impl Account {
    pub(crate) fn add(count: &AtomicUsize) {
        count.fetch_add(1, SeqCst);
    }

    fn unfinished(&self) -> BTreeSet<usize> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what an owner's cleanup returned.
    pub(crate) fn by_owner<E>(&self, result: &Result<(), E>) {
        if result.is_err() {
            Self::add(&self.failed_at_owner);
        }
    }

    /// Compares the account with the reports of the round. Returns what does not agree.
    ///
    /// `all_are_named` is false if the reaper was dropped: then openings without a value are reported, too.
    pub(crate) fn errors(&self, reports: &[Report], all_are_named: bool) -> Vec<String> {
        let get = |count: &AtomicUsize| count.load(SeqCst);
        let mut errors = Vec::new();
        let mut check = |holds: bool, text: String| {
            if !holds {
                errors.push(text);
            }
        };
        let unfinished = self.unfinished();
        let named: Vec<usize> =
            reports.iter().flat_map(|report| &report.abandoned).filter_map(number).collect();
        let named_once: BTreeSet<usize> = named.iter().copied().collect();
        check(named.len() == named_once.len(), "a value is named twice".to_owned());
        // A value that ended while it was being abandoned is not named.
        let named_unfinished = unfinished.intersection(&named_once).count();
        let (made, cleaned) = (get(&self.made), get(&self.cleaned));
        check(
            made == cleaned + unfinished.len(),
            format!("made {made}, cleaned {cleaned}, unfinished {}", unfinished.len()),
        );
        let told = get(&self.forgotten);
        let untold = unfinished.len() - named_unfinished;
        let agrees = if all_are_named { told == untold } else { told >= untold };
        check(agrees, format!("{untold} values are not named, {told} reports of the hook"));
        let failed = get(&self.failed) - get(&self.failed_at_owner);
        let told = get(&self.failures_told);
        check(failed == told, format!("{failed} failures at the reaper, {told} told"));
        let reported: usize =
            reports.iter().map(|report| report.failures.len() + report.more_failures).sum();
        check(
            !all_are_named || failed == reported,
            format!("{failed} failures, {reported} reported"),
        );
        check(get(&self.restarted) == 0, format!("{} restarted", get(&self.restarted)));
        check(get(&self.out_of_order) == 0, format!("{} out of order", get(&self.out_of_order)));
        errors
    }
}

/// The number of an abandoned value. Its label is the number, because a report has no other identity.
fn number(abandoned: &Pending) -> Option<usize> {
    let label = abandoned.label.as_ref()?;
    (abandoned.type_name == "Resource").then(|| label.parse().ok()).flatten()
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let get = |count: &AtomicUsize| count.load(SeqCst);
        write!(
            f,
            "made {}, cleaned {}, unfinished {}, failed {}, shielded {} of {}",
            get(&self.made),
            get(&self.cleaned),
            self.unfinished().len(),
            get(&self.failed),
            get(&self.shielded_to_the_end),
            get(&self.shielded),
        )
    }
}

/// A value with a number, whose cleanup waits, and sometimes fails or panics.
pub(crate) struct Resource {
    number: usize,
    account: Arc<Account>,
    begun: bool,
    ended: Arc<AtomicBool>,
    /// Whether the cleanup of the value that depends on this one has ended.
    dependant: Option<Arc<AtomicBool>>,
}

#[derive(Debug)]
pub(crate) struct Failed;

/// The payload of the intended panics.
pub(crate) struct Meant;

impl Resource {
    pub(crate) fn make(number: usize, account: &Arc<Account>) -> AsyncDropGuard<Resource> {
        Self::before(number, account, None)
    }

    pub(crate) fn before(
        number: usize,
        account: &Arc<Account>,
        dependant: Option<Arc<AtomicBool>>,
    ) -> AsyncDropGuard<Resource> {
        Account::add(&account.made);
        let account = Arc::clone(account);
        AsyncDropGuard::new(Resource {
            number,
            account,
            begun: false,
            ended: Arc::default(),
            dependant,
        })
    }

    /// Becomes true when the cleanup has ended.
    pub(crate) fn ended(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.ended)
    }
}

#[livedrop::unboxed]
impl AsyncDrop for Resource {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        if std::mem::replace(&mut self.begun, true) {
            Account::add(&self.account.restarted);
        }
        if self.dependant.as_ref().is_some_and(|dependant| !dependant.load(SeqCst)) {
            Account::add(&self.account.out_of_order);
        }
        pause().await;
        self.ended.store(true, SeqCst);
        match fastrand::u8(..) {
            0..16 => {
                Account::add(&self.account.failed);
                Err(Failed)
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        if self.ended.load(SeqCst) {
            Account::add(&self.account.cleaned);
        } else {
            let mut unfinished =
                self.account.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
            unfinished.insert(self.number);
        }
    }
}
