//! `Key`: the index of a value on a stack.

use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::type_name;

/// Names the type of the value without owning a value: always `Send` and `Sync`.
type KeyTo<T> = PhantomData<fn() -> T>;

/// A typed index of a `T` on an [`AsyncDropStack`](crate::collections::AsyncDropStack).
///
/// It belongs to the stack that the guard was pushed onto. After
/// [`pop_all`](crate::collections::AsyncDropStack::pop_all), it belongs to the new stack. Any other
/// stack refuses it.
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

/// The unique place of an entry: its stack, and its number there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) stack: StackId,
    pub(super) number: usize,
}

/// The unique id of a set of entries. It moves with the entries to another stack.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct StackId(u64);

impl StackId {
    pub(super) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Why a key leads to no value.
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
                 A key belongs to the stack that its guard was pushed onto. `pop_all` moves the \
                 guards and their keys to the stack that it returns."
            ),
            Self::CleanedUp => panic!("used {name} after its cleanup, through its key"),
        }
    }
}
