//! The entry of an adopted value, and what `pending` shows of it.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU64;
use std::panic::Location;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::driver::OrphanWaker;
use super::inner::{LaneId, Taken};
use super::orphan::Cleanup;
use super::slab::Key;
use super::{Pending, Stage};
use crate::guard::Origin;
use crate::hook::{self, Cause};

/// The type and the creation site of an adopted value, and the tag of the handle that adopted it.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) type_name: fn() -> String,
    pub(super) created_at: Option<&'static Location<'static>>,
    pub(super) tag: Option<Arc<Tag>>,
}

/// The label and the lane of a handle.
#[derive(Clone, Default)]
pub(super) struct Tag {
    pub(super) label: Option<Arc<str>>,
    pub(super) lane: Option<LaneId>,
}

impl Identity {
    pub(super) fn new<T>(origin: Origin<T>, tag: Option<Arc<Tag>>) -> Self {
        Self { type_name: crate::type_name::of::<T>, created_at: origin.created_at(), tag }
    }

    pub(super) fn name(&self) -> String {
        (self.type_name)()
    }

    pub(super) fn created_at(&self) -> Option<&'static Location<'static>> {
        self.created_at
    }

    pub(super) fn label(&self) -> Option<Arc<str>> {
        self.tag.as_ref()?.label.clone()
    }

    pub(super) fn lane(&self) -> Option<LaneId> {
        self.tag.as_ref()?.lane
    }

    /// Reports a value whose reaper is gone.
    pub(super) fn report_lost(&self) {
        hook::report_lost_adopted(&self.name(), self.created_at, Cause::ReaperGone);
    }
}

/// An adopted value, from its adoption to the end of its cleanup.
pub(super) struct Entry {
    pub(super) facts: Snapshot,
    /// `None` while an owner holds the value.
    pub(super) orphan: Option<Orphan>,
}

impl Entry {
    pub(super) fn new(identity: Identity, stage: Stage, now: Instant) -> Self {
        let facts = Snapshot {
            identity,
            stage,
            cleanup_has_begun: false,
            adopted_at: now,
            in_stage_since: now,
            member_of: None,
        };
        Self { facts, orphan: None }
    }

    /// Returns everything in the entry, which is removed.
    pub(super) fn take(&mut self) -> Self {
        Self { facts: self.facts.clone(), orphan: self.orphan.take() }
    }
}

/// What `pending` shows of an entry.
#[derive(Clone)]
pub(super) struct Snapshot {
    pub(super) identity: Identity,
    pub(super) stage: Stage,
    pub(super) cleanup_has_begun: bool,
    pub(super) adopted_at: Instant,
    pub(super) in_stage_since: Instant,
    /// The serial of the stack that the value is in.
    pub(super) member_of: Option<NonZeroU64>,
}

pub(super) struct Orphan {
    /// `None` while it is being polled.
    pub(super) cleanup: Option<Cleanup>,
    pub(super) turn: Turn,
    pub(super) poller: Poller,
    /// Whether the reaper has begun the cleanup.
    pub(super) begun: bool,
}

impl Orphan {
    /// Takes the cleanup out to poll it. `None` if it is being polled.
    #[inline]
    pub(super) fn take(&mut self, key: Key) -> Option<Taken> {
        let cleanup = Some(self.cleanup.take()?);
        self.turn = Turn::Polled { woken: false };
        let waker = match &mut self.poller {
            Poller::Driver(waker) => waker.take(),
            Poller::Task(_) => None,
        };
        Some(Taken { key, cleanup, waker, failure: None })
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Turn {
    /// An earlier orphan of the lane has not ended.
    Blocked,
    /// In one of the two queues.
    Queued,
    Polled {
        woken: bool,
    },
    /// Waits for a wake, or for the poll of its task.
    Waiting,
}

/// Who may poll an orphan.
pub(super) enum Poller {
    /// Any driver. The waker is there once a driver has polled the orphan.
    Driver(Option<Arc<OrphanWaker>>),
    /// The task that `run_with` spawned. Its waker is there once it was polled.
    Task(Option<Waker>),
}

impl Poller {
    pub(super) fn task_waker(&mut self) -> Option<Waker> {
        match self {
            Self::Task(waker) => waker.take(),
            Self::Driver(_) => None,
        }
    }
}

impl Snapshot {
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

    pub(super) fn to_pending(&self, now: Instant, depth: usize) -> Pending {
        Pending {
            type_name: self.identity.name(),
            created_at: self.identity.created_at,
            label: self.identity.label(),
            age: now.saturating_duration_since(self.adopted_at),
            stage: self.stage,
            cleanup_has_begun: self.cleanup_has_begun,
            in_stage: now.saturating_duration_since(self.in_stage_since),
            depth,
        }
    }
}

/// Formats the copies, in the order of adoption, the members of a stack after it.
pub(super) fn to_pending(mut copies: Vec<(Key, Snapshot)>) -> Vec<Pending> {
    let now = Instant::now();
    copies.sort_unstable_by_key(|(key, _)| *key);
    let serials: HashSet<u64> = copies.iter().map(|(key, _)| key.serial).collect();
    let mut members: HashMap<u64, Vec<(Key, Snapshot)>> = HashMap::new();
    let mut open = Vec::new();
    for (key, facts) in copies {
        match facts.member_of {
            Some(stack) if serials.contains(&stack.get()) => {
                members.entry(stack.get()).or_default().push((key, facts));
            }
            _ => open.push((key, facts, 0)),
        }
    }
    open.reverse();
    let mut pending = Vec::with_capacity(serials.len());
    while let Some((key, facts, depth)) = open.pop() {
        pending.push(facts.to_pending(now, depth));
        let members = members.remove(&key.serial).unwrap_or_default();
        open.extend(members.into_iter().rev().map(|(key, facts)| (key, facts, depth + 1)));
    }
    pending
}
