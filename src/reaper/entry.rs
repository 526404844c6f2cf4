//! The entry of an adopted value, and the registration that its guard owns.

use std::num::NonZeroU64;
use std::panic::Location;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::Stage;
use super::driver::OrphanWaker;
use super::handle::{LaneId, Tag};
use super::orphan::Cleanup;
use super::registry::Registry;
use super::slab::Key;
use crate::guard::Origin;
use crate::hook::{self, Cause};
use crate::shim;
use crate::sync::Waiters;

/// Owns the entry of an adopted guard. Dropping this removes the entry: no cleanup is owed then.
///
/// `abandon` may have removed the entry before. Then every method does nothing.
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub struct Registration {
    registry: Arc<Registry>,
    key: Key,
    /// `false` once the value was orphaned, and if this was borrowed.
    owns_entry: bool,
}

impl Registration {
    /// Adds an entry, unless the reaper is closed; see [`Inner::register`](super::registry::Inner::register).
    #[inline]
    pub(super) fn new<T>(
        registry: &Arc<Registry>,
        origin: Origin<T>,
        tag: Option<Arc<Tag>>,
        stage: Stage,
        is_inside: bool,
    ) -> Option<Self> {
        let now = Instant::now();
        let facts = || Facts::new(origin, tag, stage, now);
        let key = registry.update(|inner| inner.register(is_inside, facts))?;
        Some(Self { registry: Arc::clone(registry), key, owns_entry: true })
    }

    /// For a helper around the guard that owns the entry.
    pub(crate) fn borrowed(&self) -> Self {
        Self { registry: Arc::clone(&self.registry), key: self.key, owns_entry: false }
    }

    /// Gives the cleanup to the reaper, which begins or resumes it. Dropping this does nothing after that.
    ///
    /// If `abandon` has named the value, this drops the cleanup: each value is named once. If the reaper is
    /// gone, this reports the value as lost for the reason `cause`.
    pub(crate) fn orphan(&mut self, cleanup: Cleanup, cause: Cause) {
        self.owns_entry = false;
        let now = Instant::now();
        let orphaned = self.registry.update(|inner| inner.orphan(self.key, cleanup, now));
        if let Err(refused) = orphaned {
            let (lost, _cleanup) = *refused;
            if let Some(facts) = lost {
                // Reported before the guards inside the value are dropped.
                facts.report_lost(cause);
            }
        }
    }

    // Not inlined: most guards have no registration, and dropping `None` is 20 instructions cheaper then.
    #[inline(never)]
    fn remove_entry(&self) {
        self.registry.update(|inner| inner.remove(self.key));
    }

    fn change(&self, change: impl FnOnce(&mut Facts)) {
        self.registry.update(|inner| {
            if let Some(entry) = inner.entries.get_mut(self.key) {
                change(&mut entry.facts);
            }
        });
    }

    pub(crate) fn set_stage(&self, stage: Stage) {
        let now = Instant::now();
        self.change(|facts| facts.set_stage(stage, now));
    }

    /// The entry is the entry of another value from now on. It keeps its label, its lane and its age.
    pub(crate) fn renew<T>(&self, origin: Origin<T>) {
        let now = Instant::now();
        self.change(|facts| facts.renew(origin, now));
    }

    /// The registration of the value that replaces this one. A helper has only borrowed the entry of the guard
    /// inside, so the value that replaces a helper gets an entry of its own, with the same label and lane.
    pub(crate) fn of_new_value<T>(self, origin: Origin<T>) -> Option<Self> {
        if self.owns_entry {
            self.renew(origin);
            return Some(self);
        }
        let tag = self.registry.update(|inner| inner.entries.get_mut(self.key)?.facts.tag.clone());
        Self::new(&self.registry, origin, tag, Stage::Alive, true)
    }

    /// As [`renew`](Self::renew), for a value that was opened after its caller was cancelled.
    pub(super) fn renew_orphan<T>(&self, origin: Origin<T>) {
        let now = Instant::now();
        self.change(|facts| {
            facts.renew(origin, now);
            facts.set_stage(Stage::Orphaned, now);
            facts.begin_cleanup(now);
        });
    }

    /// Shows this entry under the entry of `stack`.
    pub(crate) fn join(&self, stack: &Registration) {
        if Arc::ptr_eq(&self.registry, &stack.registry) {
            self.change(|facts| facts.member_of = NonZeroU64::new(stack.key.serial));
        }
    }

    /// Wakes the waiters once the value of this entry is gone.
    pub(crate) fn keep(&self, waiters: shim::Arc<Waiters>) {
        let _not_kept = self.registry.update(|inner| inner.keep(self.key, waiters));
    }
}

impl Drop for Registration {
    #[inline]
    fn drop(&mut self) {
        if self.owns_entry {
            self.remove_entry();
        }
    }
}

/// An adopted value, from its adoption to the end of its cleanup.
pub(super) struct Entry {
    pub(super) facts: Facts,
    pub(super) state: EntryState,
}

/// Where the value or its cleanup is.
pub(super) enum EntryState {
    /// An owner has the value.
    Owned,
    /// The reaper has not polled the cleanup, which its owner may have begun. It is in the queue of fresh ones,
    /// unless an earlier one of its lane has not ended.
    Fresh(Cleanup),
    /// A driver or a task has the cleanup, and polls it.
    Polled { woken: bool },
    /// A driver has polled the cleanup. It waits for a wake.
    Waiting(Cleanup, Option<Arc<OrphanWaker>>),
    /// The cleanup was woken. It is in the queue of those that the reaper has begun.
    Woken(Cleanup, Option<Arc<OrphanWaker>>),
    /// The cleanup waits for its task. The waker is there once the task was polled.
    Spawned(Cleanup, Option<Waker>),
}

impl EntryState {
    /// Whether the reaper has begun the cleanup.
    pub(super) fn is_begun(&self) -> bool {
        !matches!(self, Self::Owned | Self::Fresh(_))
    }

    /// Takes out the cleanup, and the waker of its task.
    pub(super) fn take(&mut self) -> (Option<Cleanup>, Option<Waker>) {
        match std::mem::replace(self, Self::Owned) {
            Self::Owned | Self::Polled { .. } => (None, None),
            Self::Fresh(cleanup) | Self::Waiting(cleanup, _) | Self::Woken(cleanup, _) => {
                (Some(cleanup), None)
            }
            Self::Spawned(cleanup, waker) => (Some(cleanup), waker),
        }
    }
}

/// What a report shows of a value.
#[derive(Clone)]
pub(super) struct Facts {
    type_name: fn() -> String,
    pub(super) created_at: Option<&'static Location<'static>>,
    /// The label and the lane of the handle that adopted the value.
    tag: Option<Arc<Tag>>,
    pub(super) stage: Stage,
    pub(super) cleanup_has_begun: bool,
    pub(super) adopted_at: Instant,
    pub(super) in_stage_since: Instant,
    /// The serial of the stack that the value is in.
    pub(super) member_of: Option<NonZeroU64>,
}

impl Facts {
    #[inline]
    fn new<T>(origin: Origin<T>, tag: Option<Arc<Tag>>, stage: Stage, now: Instant) -> Self {
        Self {
            type_name: crate::type_name::of::<T>,
            created_at: origin.created_at(),
            tag,
            stage,
            cleanup_has_begun: false,
            adopted_at: now,
            in_stage_since: now,
            member_of: None,
        }
    }

    pub(super) fn type_name(&self) -> String {
        (self.type_name)()
    }

    pub(super) fn label(&self) -> Option<Arc<str>> {
        self.tag.as_ref()?.label.clone()
    }

    pub(super) fn lane(&self) -> Option<LaneId> {
        self.tag.as_ref()?.lane
    }

    pub(super) fn set_stage(&mut self, stage: Stage, now: Instant) {
        self.stage = stage;
        self.cleanup_has_begun |= stage == Stage::Cleaning;
        self.in_stage_since = now;
    }

    /// Notes that the reaper has begun the cleanup of an orphan.
    pub(super) fn begin_cleanup(&mut self, now: Instant) {
        self.cleanup_has_begun = true;
        self.in_stage_since = now;
    }

    fn renew<T>(&mut self, origin: Origin<T>, now: Instant) {
        self.type_name = crate::type_name::of::<T>;
        self.created_at = origin.created_at();
        self.set_stage(Stage::Alive, now);
    }

    pub(super) fn report_lost(&self, cause: Cause) {
        hook::report_lost_adopted(&self.type_name(), self.created_at, cause);
    }
}
