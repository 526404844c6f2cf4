//! Creation sites, one for each number: the site in a report identifies the guard.

use std::panic::Location;

use livedrop::ReaperHandle;
use livedrop::collections::{AsyncDropResult, AsyncDropStack};
use livedrop::sync::{AsyncDropArc, AsyncDropMutex, AsyncDropTokioMutex, AsyncDropWeak};
use livedrop::{AsyncDropGuard, Reaper};

use crate::guards::{AnyGuard, Kind, Of};
use crate::program::{Empty, Wrap};
use crate::statement::Id;
use crate::value::Value;

/// How many guards a program may create.
pub const SITES: usize = 48;

/// Creates a guard at a site, or a future that gives a guard later.
pub trait Creates {
    type Output;

    #[track_caller]
    fn here(self, reaper: &ReaperHandle) -> Self::Output;
}

/// A way to create a guard.
pub enum Create<'a, S: Kind> {
    Value(Value),
    Empty(Empty),
    Arc(AsyncDropGuard<Value, S>),
    Wrap(Wrap, AsyncDropGuard<Value, S>),
    Clone(&'a AsyncDropArc<Value, S>),
    Upgrade(&'a AsyncDropWeak<Value, S>),
    PopAll(&'a mut AsyncDropStack<S>),
    Remake(AsyncDropGuard<Value, S>, &'a dyn Fn(Value) -> Value),
}

impl<S: Kind> Creates for Create<'_, S> {
    /// `None` from a weak reference whose value is gone.
    type Output = Option<AnyGuard>;

    #[track_caller]
    fn here(self, reaper: &ReaperHandle) -> Option<AnyGuard> {
        Some(S::any(match self {
            Self::Value(value) => Of::Value(S::guard(reaper, value)),
            Self::Empty(container) => S::empty(reaper, container),
            Self::Arc(guard) => Of::Arc(AsyncDropArc::new(guard)),
            Self::Wrap(Wrap::Mutex, guard) => Of::Mutex(AsyncDropMutex::new(guard)),
            Self::Wrap(Wrap::TokioMutex, guard) => Of::TokioMutex(AsyncDropTokioMutex::new(guard)),
            Self::Wrap(Wrap::Result, guard) => Of::Result(AsyncDropResult::new(Ok(guard))),
            Self::Clone(handle) => Of::Arc(AsyncDropArc::clone(handle)),
            Self::Upgrade(weak) => Of::Arc(weak.upgrade()?),
            Self::PopAll(stack) => S::pop_all(stack),
            Self::Remake(guard, make) => {
                Of::Value(AsyncDropGuard::map_without_cleanup(guard, make))
            }
        }))
    }
}

/// The number of the site.
pub fn number(at: &Location<'_>) -> Id {
    assert_eq!(at.file(), file!(), "guards are created here only");
    if at.line() == REAPER { 0 } else { (at.line() - BEFORE_THE_FIRST) as usize }
}

const REAPER: u32 = line!() + 2;
pub fn reaper() -> AsyncDropGuard<Reaper> {
    Reaper::new()
}

const BEFORE_THE_FIRST: u32 = line!() + 5;
/// Creates a guard at the site with this number.
#[expect(clippy::match_same_arms, reason = "they stand in different lines")]
#[rustfmt::skip]
pub fn create_at<C: Creates>(id: Id, create: C, to: &ReaperHandle) -> C::Output {
    match id {
        1 => create.here(to),
        2 => create.here(to),
        3 => create.here(to),
        4 => create.here(to),
        5 => create.here(to),
        6 => create.here(to),
        7 => create.here(to),
        8 => create.here(to),
        9 => create.here(to),
        10 => create.here(to),
        11 => create.here(to),
        12 => create.here(to),
        13 => create.here(to),
        14 => create.here(to),
        15 => create.here(to),
        16 => create.here(to),
        17 => create.here(to),
        18 => create.here(to),
        19 => create.here(to),
        20 => create.here(to),
        21 => create.here(to),
        22 => create.here(to),
        23 => create.here(to),
        24 => create.here(to),
        25 => create.here(to),
        26 => create.here(to),
        27 => create.here(to),
        28 => create.here(to),
        29 => create.here(to),
        30 => create.here(to),
        31 => create.here(to),
        32 => create.here(to),
        33 => create.here(to),
        34 => create.here(to),
        35 => create.here(to),
        36 => create.here(to),
        37 => create.here(to),
        38 => create.here(to),
        39 => create.here(to),
        40 => create.here(to),
        41 => create.here(to),
        42 => create.here(to),
        43 => create.here(to),
        44 => create.here(to),
        45 => create.here(to),
        46 => create.here(to),
        47 => create.here(to),
        _ => unreachable!("there are no more sites"),
    }
}
