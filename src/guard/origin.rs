//! `Origin`: the type of a guarded value and the creation site of its guard, for messages.

use std::marker::PhantomData;
use std::panic::Location;

use crate::hook::{self, Cause};
use crate::type_name;

/// Names the guarded type without owning a value of it: no bytes, always `Send` and `Sync`.
type Guarded<T> = PhantomData<fn() -> T>;

/// The type of a guarded value, and the place where its guard was created.
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
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

    /// Reports an adopted value that was lost, because its reaper had been closed.
    #[cold]
    pub(crate) fn report_without_reaper(self, cause: Cause) {
        hook::report_lost_adopted(&type_name::of::<T>(), self.created_at(), cause);
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
}

impl<T> Clone for Origin<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Origin<T> {}
