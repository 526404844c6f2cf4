//! The reports of a reaper: pending values, and the cleanups that have ended.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fmt, io};

use super::entry::Facts;
use super::orphan::Failure;
use super::slab::Key;

/// An adopted value that is not cleaned up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// The type of the value without its module paths. At [`Stage::Opening`], the type of the value
    /// that will be opened.
    pub type_name: String,
    /// The place where the guard was created. `None` in a build without `debug_assertions` and
    /// without the feature `location`.
    pub created_at: Option<&'static Location<'static>>,
    /// The label of the handle that adopted it; see
    /// [`with_label`](crate::ReaperHandle::with_label).
    pub label: Option<Arc<str>>,
    /// The time since the value was adopted, or since its opening began.
    pub age: Duration,
    /// The stage that the value has reached.
    pub stage: Stage,
    /// Whether its cleanup has begun, by its owner or by the reaper.
    pub cleanup_has_begun: bool,
    /// The time since it has reached that stage, or since the reaper has begun the cleanup of an orphan.
    pub in_stage: Duration,
    /// The number of adopted stacks that the value is in. A list has the members of a stack after it.
    pub depth: usize,
}

/// How far an adopted value has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// [`acquire`](crate::Reaper::acquire) is opening it, or the reaper is, after the caller was
    /// cancelled.
    Opening,
    /// Its owner holds it.
    Alive,
    /// Its owner has begun to clean it up.
    Cleaning,
    /// Its owner has dropped it. The reaper has its cleanup, which it begins or resumes.
    Orphaned,
    /// A future of [`shield`](crate::ReaperHandle::shield). Its caller polls it, or the reaper does, after
    /// the caller was cancelled.
    Shielded,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Stage::Opening => "opening",
            Stage::Alive => "alive",
            Stage::Cleaning => "cleaning",
            Stage::Orphaned => "orphaned",
            Stage::Shielded => "shielded",
        })
    }
}

/// Writes a line of a table: type, creation site, age, stage, the time in that stage, label. Times are in
/// seconds. The member of a stack is indented. An orphan whose cleanup has begun is shown as cleaning.
impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.created_at.map_or_else(|| "-".to_owned(), ToString::to_string);
        let (age, in_stage) = (self.age.as_secs_f64(), self.in_stage.as_secs_f64());
        let (indent, width) = (2 * self.depth, 24_usize.saturating_sub(2 * self.depth));
        write!(f, "{:indent$}{:<width$} {site:<32} {age:>7.1} s  ", "", self.type_name)?;
        let is_cleaning = self.stage == Stage::Orphaned && self.cleanup_has_begun;
        let cleaning = if is_cleaning { ", cleaning" } else { "" };
        write!(f, "{}{cleaning} for {in_stage:.1} s", self.stage)?;
        self.label.iter().try_for_each(|label| write!(f, "  {label}"))
    }
}

impl Pending {
    fn new(facts: &Facts, now: Instant, depth: usize) -> Self {
        Self {
            type_name: facts.type_name(),
            created_at: facts.created_at,
            label: facts.label(),
            age: now.saturating_duration_since(facts.adopted_at),
            stage: facts.stage,
            cleanup_has_begun: facts.cleanup_has_begun,
            in_stage: now.saturating_duration_since(facts.in_stage_since),
            depth,
        }
    }
}

/// Formats the copies, in the order of adoption, the members of a stack after it.
pub(super) fn to_pending(mut copies: Vec<(Key, Facts)>) -> Vec<Pending> {
    let now = Instant::now();
    copies.sort_unstable_by_key(|(key, _)| *key);
    let mut pending = Vec::with_capacity(copies.len());
    let mut members: BTreeMap<u64, Vec<(Key, Facts)>> = BTreeMap::new();
    let mut open = Vec::new();
    for (key, facts) in copies {
        match facts.member_of {
            Some(stack) => members.entry(stack.get()).or_default().push((key, facts)),
            None => open.push((key, facts, 0)),
        }
    }
    open.reverse();
    loop {
        while let Some((key, facts, depth)) = open.pop() {
            pending.push(Pending::new(&facts, now, depth));
            let members = members.remove(&key.serial).unwrap_or_default();
            open.extend(members.into_iter().rev().map(|(key, facts)| (key, facts, depth + 1)));
        }
        // The stack of the rest has no entry any more, or it contains itself by a shared handle.
        let Some((_, rest)) = members.pop_first() else { return pending };
        open.extend(rest.into_iter().rev().map(|(key, facts)| (key, facts, 0)));
    }
}

/// The cleanups that have ended since the last report of a reaper.
///
/// The [hook](crate::hook) was told of each failure when it happened, so no failure is lost if nobody reads
/// the report.
#[derive(Debug, Default)]
#[must_use = "dropping this hides which values were abandoned: no other report names them"]
#[non_exhaustive]
pub struct Report {
    /// The number of orphans that the reaper cleaned up, with or without success. An
    /// [`async_drop_via`](crate::AsyncDropGuard::async_drop_via) that it finished counts, too.
    pub cleaned: usize,
    /// The cleanups that failed, in the order in which they ended: the first 1,024 of them.
    pub failures: Vec<Failure>,
    /// The number of failures after the first 1,024.
    pub more_failures: usize,
    /// The values that [`abandon`](crate::Reaper::abandon) dropped without their cleanup, and the
    /// adopted values that owners still held then.
    pub abandoned: Vec<Pending>,
    /// The number of orphans that were being polled when [`abandon`](crate::Reaper::abandon) was called. Their
    /// outcome goes to the hook or into the next report.
    pub undecided: usize,
}

impl Report {
    /// Returns `Ok` if no cleanup failed, and no value was abandoned or was undecided.
    ///
    /// # Errors
    ///
    /// Returns the report otherwise.
    pub fn into_result(self) -> Result<(), Self> {
        let is_clean = self.failures.is_empty() && self.abandoned.is_empty() && self.undecided == 0;
        if is_clean { Ok(()) } else { Err(self) }
    }
}

#[cfg(feature = "app")]
impl Report {
    /// Adds an earlier report of the same reaper.
    pub(crate) fn put_before(&mut self, earlier: Report) {
        let Report { cleaned, failures, more_failures, abandoned, undecided } = earlier;
        self.cleaned += cleaned;
        self.failures.splice(..0, failures);
        self.more_failures += more_failures;
        self.abandoned.splice(..0, abandoned);
        self.undecided += undecided;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cleaned, abandoned) = (self.cleaned, self.abandoned.len());
        let failed = self.failures.len() + self.more_failures;
        let orphans = if cleaned == 1 { "orphan" } else { "orphans" };
        write!(f, "{cleaned} {orphans} cleaned up, {failed} of them failed")?;
        for failure in &self.failures {
            write!(f, "\n  {failure}")?;
        }
        if self.more_failures > 0 {
            write!(f, "\n  and {} more", self.more_failures)?;
        }
        if abandoned > 0 {
            write!(f, "\n{abandoned} abandoned:")?;
        }
        for pending in &self.abandoned {
            write!(f, "\n  {pending}")?;
        }
        if self.undecided > 0 {
            write!(f, "\n{} still being polled", self.undecided)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}

/// For a `main` with an [`io::Result`]. `into_inner` of the error returns the report.
impl From<Report> for io::Error {
    fn from(report: Report) -> Self {
        Self::other(report)
    }
}

/// What the next [`Report`] contains. The names of abandoned values are formatted when it is taken.
#[derive(Default)]
pub(super) struct Ended {
    cleaned: usize,
    failures: Vec<Failure>,
    more_failures: usize,
    pub(super) abandoned: Vec<(Key, Facts)>,
}

/// The number of failures that a report keeps. The others are counted.
const KEPT_FAILURES: usize = 1_024;

impl Ended {
    /// Counts a cleanup. A failure that is only counted is returned, to be dropped outside the lock.
    #[inline]
    pub(super) fn add(&mut self, failure: Option<Box<Failure>>) -> Option<Box<Failure>> {
        self.cleaned += 1;
        let failure = failure?;
        if self.failures.len() < KEPT_FAILURES {
            self.failures.push(*failure);
            return None;
        }
        self.more_failures += 1;
        Some(failure)
    }

    pub(super) fn into_report(self) -> Report {
        let Self { cleaned, failures, more_failures, abandoned } = self;
        Report { cleaned, failures, more_failures, abandoned: to_pending(abandoned), undecided: 0 }
    }
}

#[cfg(all(test, feature = "app"))]
mod tests {
    use super::Report;

    #[test]
    fn earlier_report_is_added() {
        let report = |cleaned, more_failures, undecided| Report {
            cleaned,
            more_failures,
            undecided,
            ..Report::default()
        };
        let mut sum = report(1, 2, 3);
        sum.put_before(report(10, 20, 30));
        assert_eq!((sum.cleaned, sum.more_failures, sum.undecided), (11, 22, 33));
    }
}
