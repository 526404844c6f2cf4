//! What leads back to a value on a stack.

use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::type_name;

/// Names the type of the value without owning one: always `Send` and `Sync`.
type KeyTo<T> = PhantomData<fn() -> T>;

/// Leads to a `T` on the [`AsyncDropStack`](crate::collections::AsyncDropStack) that it was pushed on, and
/// after [`pop_all`](crate::collections::AsyncDropStack::pop_all) on the stack that came of that.
///
/// Any other stack refuses it.
pub struct Key<T> {
    pub(super) place: Place,
    to: KeyTo<T>,
}

impl<T> Key<T> {
    pub(super) fn new(place: Place) -> Self {
        Self { place, to: PhantomData }
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<T> Eq for Key<T> {}

impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.hash(state);
    }
}

/// Shows the type of the value.
impl<T> Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key<{}>", type_name::of::<T>())
    }
}

/// Which entry of which stack. No two entries ever have the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) stack: StackId,
    pub(super) number: usize,
}

/// No two sets of entries have the same; it moves along with the entries.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct StackId(u64);

impl StackId {
    pub(super) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Why there is no value for a key.
pub(super) enum Refused {
    OtherStack,
    CleanedUp,
}

impl Refused {
    #[cold]
    #[track_caller]
    pub(super) fn panic<T>(self) -> ! {
        let name = type_name::of::<T>();
        match self {
            Self::OtherStack => panic!(
                "this key to a {name} is of another stack\n\
                 A key leads into the stack that the guard was pushed on; `pop_all` takes the \
                 guards and their keys to the stack it returns."
            ),
            Self::CleanedUp => panic!("used {name} after its cleanup, by its key to the stack"),
        }
    }
}
