//! Reports a value that is dropped without its cleanup.
//!
//! The report comes from a field beside the value. So the guard itself needs no `Drop`, and the
//! value can be moved out of it.

#![expect(missing_debug_implementations, reason = "nothing here can be named outside the crate")]

use std::marker::PhantomData;
use std::panic::Location;

use crate::hook::{self, Cause};
use crate::type_name;

/// Names the guarded type without owning a value of it: no bytes, always `Send` and `Sync`.
type Guarded<T> = PhantomData<fn() -> T>;

/// The type of a guarded value, and the place where its guard was created.
pub struct Origin<T> {
    #[cfg(any(debug_assertions, feature = "location"))]
    created_at: &'static Location<'static>,
    guarded: Guarded<T>,
}

impl<T> Origin<T> {
    /// The caller of the constructor that calls this.
    #[track_caller]
    pub(crate) fn here() -> Self {
        Self {
            #[cfg(any(debug_assertions, feature = "location"))]
            created_at: Location::caller(),
            guarded: PhantomData,
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

    /// Panics because the value is gone: "used Conn after its cleanup (created at src/main.rs:5:9)".
    #[cold]
    #[track_caller]
    pub(crate) fn panic_gone(self, attempt: &str, when: &str) -> ! {
        let name = type_name::of::<T>();
        match self.created_at() {
            Some(at) => panic!("{attempt} {name} {when} (created at {at})"),
            None => panic!("{attempt} {name} {when}"),
        }
    }

    /// Reports to the hook that the value was lost.
    #[cold]
    pub(crate) fn report_lost(self, cause: Cause) {
        hook::report_lost(&type_name::of::<T>(), self.created_at(), cause);
    }
}

impl<T> Clone for Origin<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Origin<T> {}

/// Reports the value beside it as lost when it is dropped, unless it was defused.
///
/// `P` says how far the cleanup has come. A `Checked` guard keeps a [`Phase`]. A `Live` guard has
/// no room for that: there `P` is the type [`NotBegun`] or [`Begun`].
pub struct DropBomb<T, P: HasCause = Phase> {
    pub(super) phase: P,
    pub(super) origin: Origin<T>,
}

impl<T, P: HasCause> DropBomb<T, P> {
    pub(super) fn defuse(self) -> Origin<T> {
        let origin = self.origin;
        std::mem::forget(self);
        origin
    }
}

impl<T, P: HasCause> Drop for DropBomb<T, P> {
    #[inline]
    fn drop(&mut self) {
        if let Some(cause) = self.phase.cause() {
            self.origin.report_lost(cause);
        }
    }
}

/// Why a value that is dropped now is lost.
pub trait HasCause {
    /// `None` if it is not lost: its cleanup has ended.
    fn cause(&self) -> Option<Cause>;
}

/// How far the cleanup of a guard has come that is checked at run time.
///
/// `usize`-sized, so that the slot's discriminant uses its niche.
#[derive(Clone, Copy)]
#[repr(usize)]
pub enum Phase {
    /// The cleanup has not begun.
    Armed,
    /// The library owns the guard while a body borrows the value.
    Borrowed,
    /// The cleanup has begun, and waits.
    CleaningUp,
    /// The cleanup has ended, with a result or with a panic. Only `clean` ever sees it: it drops
    /// the value before it returns.
    Finished,
}

impl HasCause for Phase {
    #[inline]
    fn cause(&self) -> Option<Cause> {
        match self {
            Phase::Armed => Some(Cause::Forgotten),
            Phase::Borrowed => Some(Cause::CancelledInBody),
            Phase::CleaningUp => Some(Cause::CancelledInCleanup),
            Phase::Finished => None,
        }
    }
}

/// The cleanup of a `Live` guard has not begun.
pub(super) struct NotBegun;

impl HasCause for NotBegun {
    fn cause(&self) -> Option<Cause> {
        Some(Cause::Forgotten)
    }
}

/// The cleanup of a `Live` guard has begun, and waits.
pub(super) struct Begun;

impl HasCause for Begun {
    fn cause(&self) -> Option<Cause> {
        Some(Cause::CancelledInCleanup)
    }
}
