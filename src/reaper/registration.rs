//! `Registration`: an adopted guard's hold on its entry.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Instant;

use super::Stage;
use super::entry::{Entry, Identity, Snapshot};
use super::inner::Inner;
use super::orphan::Cleanup;
use super::registry::{Registry, wake_all};
use super::slab::Key;
use crate::guard::Origin;
use crate::hook::{self, Cause};
use crate::shim::{self, MutexGuard};
use crate::sync::Waiters;

/// An entry, as code that changes it sees it. The entry may be gone.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub struct EntryRef {
    registry: Arc<Registry>,
    key: Key,
}

impl EntryRef {
    fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        if let Some(entry) = self.registry.lock().entries.get_mut(self.key) {
            change(&mut entry.facts);
        }
    }

    pub(crate) fn set_stage(&self, stage: Stage) {
        let now = Instant::now();
        self.update(|facts| facts.set_stage(stage, now));
    }

    /// The entry is the entry of another value from now on. It keeps its label, its lane and its age.
    pub(crate) fn renew<T>(&self, origin: Origin<T>) {
        let now = Instant::now();
        self.update(|facts| {
            facts.identity = Identity::new(origin, facts.identity.tag.take());
            facts.set_stage(Stage::Alive, now);
        });
    }

    /// As [`renew`](Self::renew), for a value that was opened after its caller was cancelled.
    pub(super) fn renew_orphan<T>(&self, origin: Origin<T>) {
        self.renew(origin);
        let now = Instant::now();
        self.update(|facts| {
            facts.set_stage(Stage::Orphaned, now);
            facts.begin_cleanup(now);
        });
    }

    /// Wakes the waiters once the value of this entry is gone.
    pub(crate) fn keep(&self, waiters: shim::Arc<Waiters>) {
        let mut inner = self.registry.lock();
        if inner.entries.get_mut(self.key).is_some() {
            inner.waiters.entry(self.key.serial).or_default().push(waiters);
        }
    }

    fn remove(&self) {
        let mut inner = self.registry.lock();
        let _waiters = inner.take_waiters(self.key);
        let _no_task = inner.remove(self.key);
        let wakers = inner.wakers_due(true);
        drop(inner);
        wake_all(wakers);
    }

    /// Shows this entry under the entry of `stack`.
    pub(crate) fn join(&self, stack: &EntryRef) {
        if Arc::ptr_eq(&self.registry, &stack.registry) {
            self.update(|facts| facts.member_of = NonZeroU64::new(stack.key.serial));
        }
    }
}

/// Owns the entry of an adopted guard. Dropping this removes the entry: no cleanup is owed then.
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub struct Registration {
    entry: EntryRef,
    /// `false` once the value was orphaned, and for a helper around the guard that owns the entry.
    is_owned: bool,
}

impl Registration {
    pub(super) fn new(registry: &Arc<Registry>, key: Key) -> Self {
        Self { entry: EntryRef { registry: Arc::clone(registry), key }, is_owned: true }
    }

    /// For a helper around the guard that owns the entry.
    pub(crate) fn borrowed(entry: EntryRef) -> Self {
        Self { entry, is_owned: false }
    }

    pub(crate) fn entry(&self) -> &EntryRef {
        &self.entry
    }

    /// Gives the cleanup to the reaper, which begins or resumes it. Dropping this does nothing after that.
    ///
    /// If `abandon` has named the value, this drops the cleanup: each value is named once. If the reaper is
    /// gone, this reports the value as lost for the reason `cause`.
    pub(crate) fn orphan(&mut self, cleanup: Cleanup, cause: Cause) {
        self.is_owned = false;
        let EntryRef { registry, key } = &self.entry;
        let now = Instant::now();
        let mut inner = registry.lock();
        if !inner.has_driver() {
            return self.lose(inner, cleanup, cause);
        }
        // Dropped after the lock is released.
        let _named = inner.add_orphan(*key, cleanup, now);
        let wakers = inner.announce();
        drop(inner);
        wake_all(wakers);
    }

    /// Reports a value that nobody will clean up, and drops its cleanup.
    #[cold]
    fn lose(&self, mut inner: MutexGuard<'_, Inner>, _cleanup: Cleanup, cause: Cause) {
        let _waiters = inner.take_waiters(self.entry.key);
        let entry = inner.entries.remove(self.entry.key, Entry::take);
        let wakers = inner.wakers_due(true);
        drop(inner);
        wake_all(wakers);
        let Some(entry) = entry else { return };
        // Reported before the guards inside the value are dropped.
        let Identity { created_at, .. } = entry.facts.identity;
        hook::report_lost_adopted(&entry.facts.identity.name(), created_at, cause);
    }
}

impl Drop for Registration {
    #[inline]
    fn drop(&mut self) {
        if self.is_owned {
            self.entry.remove();
        }
    }
}
