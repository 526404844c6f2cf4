//! What goes off when a guard is dropped without its cleanup: a field beside the value, so that
//! the guard itself needs no `Drop` and the value can be moved out of it.

#![expect(missing_debug_implementations, reason = "nothing here can be named outside of the crate")]

use std::marker::PhantomData;
use std::panic::Location;

use crate::hook::{self, Cause, Unhandled};
use crate::type_name;

/// Names the guarded type without owning one: no bytes, always `Send` and `Sync`.
type Guards<T> = PhantomData<fn() -> T>;

/// Where a guard comes from: its value's type and its creation site.
pub struct Origin<T> {
    #[cfg(any(debug_assertions, feature = "location"))]
    created_at: &'static Location<'static>,
    guards: Guards<T>,
}

impl<T> Origin<T> {
    /// The place that calls the constructor this is called in.
    #[track_caller]
    pub(crate) fn here() -> Self {
        Self {
            #[cfg(any(debug_assertions, feature = "location"))]
            created_at: Location::caller(),
            guards: PhantomData,
        }
    }

    #[cfg(any(debug_assertions, feature = "location"))]
    #[expect(clippy::unnecessary_wraps, reason = "it is `None` in other builds")]
    pub(crate) fn created_at(self) -> Option<&'static Location<'static>> {
        Some(self.created_at)
    }

    #[cfg(not(any(debug_assertions, feature = "location")))]
    #[expect(clippy::unused_self, reason = "it is used in other builds")]
    pub(crate) fn created_at(self) -> Option<&'static Location<'static>> {
        None
    }

    /// The end of an attempt to use a value that is gone.
    #[cold]
    #[track_caller]
    pub(crate) fn gone(self, attempt: &str, when: &str) -> ! {
        let name = type_name::of::<T>();
        match self.created_at() {
            Some(at) => panic!("{attempt} {name} {when} (created at {at})"),
            None => panic!("{attempt} {name} {when}"),
        }
    }

    /// Tells the hook that the value is lost.
    #[cold]
    fn lost(self, cause: Cause) {
        report_lost(&type_name::of::<T>(), self.created_at(), cause);
    }
}

/// Tells the hook that a value is lost.
#[cold]
pub(crate) fn report_lost(
    type_name: &str,
    created_at: Option<&'static Location<'static>>,
    cause: Cause,
) {
    let cause = if std::thread::panicking() { Cause::Unwinding } else { cause };
    hook::call(&Unhandled::Forgotten { type_name, created_at, cause });
}

impl<T> Clone for Origin<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Origin<T> {}

/// Goes off when dropped. What a [`Live`](crate::Live) guard holds beside its value.
pub(crate) struct Bomb<T> {
    origin: Origin<T>,
}

impl<T> Bomb<T> {
    pub(crate) fn new(origin: Origin<T>) -> Self {
        Self { origin }
    }

    /// Takes the danger out.
    pub(crate) fn defuse(self) -> Origin<T> {
        let origin = self.origin;
        std::mem::forget(self);
        origin
    }

    /// From now on, what the guard is in when it is lost is told apart at run time.
    pub(crate) fn into_fuse(self) -> Fuse<T> {
        Fuse::new(self.defuse())
    }
}

impl<T> Drop for Bomb<T> {
    fn drop(&mut self) {
        self.origin.lost(Cause::Forgotten);
    }
}

/// A bomb whose cleanup has begun: if it goes off, that was cancelled.
///
/// The future of a [`Live`](crate::Live) guard's cleanup holds a [`Bomb`] before it is first polled,
/// and this while it waits. Which of the two it holds is its own state: no phase has to be kept.
pub(crate) struct LitBomb<T>(pub(crate) Origin<T>);

impl<T> LitBomb<T> {
    /// The cleanup has ended, with what came of it.
    #[inline]
    pub(crate) fn put_out<R>((lit, result): (Self, R)) -> R {
        std::mem::forget(lit);
        result
    }
}

impl<T> Drop for LitBomb<T> {
    fn drop(&mut self) {
        self.0.lost(Cause::CancelledInCleanup);
    }
}

/// How far a guard has come that is looked after at run time. A word, so that whether the guard is
/// done has no room but in here; and in this order, since of all that is below `Fresh`, zero for
/// the guard that is done included, one look tells that nothing is owed.
#[derive(Clone, Copy)]
#[repr(usize)]
enum Phase {
    /// The cleanup has ended, with a result or with a panic.
    Burnt = 1,
    /// Nothing was begun.
    Fresh,
    /// The library owns the guard while a body borrows the value.
    Lent,
    /// The cleanup has begun, and waits unless it is in its `poll`.
    Begun,
}

/// A bomb that knows how far the cleanup has come.
pub struct Fuse<T> {
    phase: Phase,
    origin: Origin<T>,
}

impl<T> Fuse<T> {
    pub(crate) fn new(origin: Origin<T>) -> Self {
        Self { phase: Phase::Fresh, origin }
    }

    pub(crate) fn origin(&self) -> Origin<T> {
        self.origin
    }

    pub(crate) fn lend(&mut self) {
        self.phase = Phase::Lent;
    }

    /// The cleanup begins.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.phase = Phase::Begun;
    }

    /// The cleanup begins with the call that makes its future, and has ended if that panics.
    #[inline]
    pub(crate) fn begin_with<F>(&mut self, cleanup: impl FnOnce() -> F) -> F {
        self.begin();
        let burning = BurnsWhenDropped(&mut self.phase);
        let cleanup = cleanup();
        std::mem::forget(burning);
        cleanup
    }

    /// The cleanup has ended.
    #[inline]
    pub(crate) fn burn(&mut self) {
        self.phase = Phase::Burnt;
    }

    #[inline]
    pub(crate) fn is_burnt(&self) -> bool {
        matches!(self.phase, Phase::Burnt)
    }

    pub(crate) fn defuse(self) -> Origin<T> {
        let origin = self.origin;
        std::mem::forget(self);
        origin
    }

    #[cold]
    fn goes_off(&self) {
        let cause = match self.phase {
            Phase::Burnt => return,
            Phase::Fresh => Cause::Forgotten,
            Phase::Lent => Cause::CancelledInBody,
            Phase::Begun => Cause::CancelledInCleanup,
        };
        self.origin.lost(cause);
    }
}

struct BurnsWhenDropped<'a>(&'a mut Phase);

impl Drop for BurnsWhenDropped<'_> {
    fn drop(&mut self) {
        *self.0 = Phase::Burnt;
    }
}

impl<T> Drop for Fuse<T> {
    #[inline]
    fn drop(&mut self) {
        // As a number, so that the look at whether there is a fuse at all is the same look.
        if self.phase as usize > Phase::Burnt as usize {
            self.goes_off();
        }
    }
}
