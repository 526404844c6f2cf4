//! A model of the obligations of all guards. It shares no code with the library. It has no futures, no
//! drops and no panics, only a tree of guards whose cleanup advances step by step.

pub mod cleanup;
pub mod loss;
pub mod making;
pub mod reaper;
pub mod resolve;
pub mod tree;
pub mod via;

use std::collections::{BTreeMap, VecDeque};

use livedrop::hook::{Cause, GuardKind};

use crate::program::{Hook, In, Program};
use crate::statement::{Id, Named, Statement};
use crate::value::Event;
use making::Task;
use reaper::Lane;
use tree::{Content, Guard, Handle};

/// How an obligation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Its cleanup ended, with any result.
    Discharged,
    /// It was ended by `async_drop_via`: that future ended, with any result.
    EndedVia,
    /// The hook was told that the value is lost. `None` if the cause depends on an unspecified order.
    Reported(Option<Cause>, GuardKind),
    /// `abandon` named it before it was dropped.
    Named,
    /// The program took the value or the inner guard out.
    Released,
}

/// The prediction for one guard.
#[derive(Debug, Default)]
pub struct Fate {
    /// How often the cleanup of the value itself begins.
    pub begun: usize,
    /// How often the future of `async_drop_via` begins.
    pub via_begun: usize,
    /// Whether it is a value of the test, not a container of the library.
    pub is_value: bool,
    /// How often a failure is reported: an error or a panic of its own cleanup, of its
    /// `async_drop_via`, or of the future that makes the value.
    pub failures: usize,
    /// Whether the number of `failures` depends on an unspecified order.
    pub is_uncounted: bool,
    /// The lane of the orphan, for each time that the hook was told of its failure.
    pub failed: Vec<Option<Lane>>,
    /// Has exactly one element at the end.
    pub settled: Vec<Settled>,
}

/// The statements of the program, and the fates of its guards.
pub struct Prediction {
    /// Every statement, and whether it panics.
    pub statements: Vec<(Statement, bool)>,
    /// By number of creation. The first is the reaper.
    pub fates: Vec<Fate>,
    /// How often the hook gets the panic of a body.
    pub body_panics: usize,
    /// The order of the cleanups, unless it is unspecified.
    pub log: Option<Vec<Event>>,
}

pub fn predict(program: &Program) -> Prediction {
    resolve::run(program)
}

/// The state that all guards share.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Model {
    pub hook: Hook,
    pub fates: Vec<Fate>,
    pub shared: Vec<Shared>,
    pub body_panics: usize,
    pub log: Vec<Event>,
    /// A map with several values was cleaned up, in an unspecified order.
    pub log_is_unordered: bool,
    /// The orphans that a driver has begun, in the order in which it polls them.
    pub begun: Vec<Guard>,
    /// Those in `begun` come from dropped tasks, and no driver has polled one since.
    pub are_returned: bool,
    /// The orphans whose turn it is, and that nobody has begun.
    pub fresh: VecDeque<Guard>,
    /// The orphan of each task of `run_with`. `None` once it was abandoned, has ended or went back.
    pub tasks: Vec<Option<Guard>>,
    /// How many orphans may be begun at a time.
    pub limit: Option<usize>,
    /// For each lane that has orphans, those that wait for their turn.
    pub lanes: BTreeMap<Lane, VecDeque<Guard>>,
    /// The registered values, including the orphans, by their serial numbers.
    pub entries: BTreeMap<usize, Named>,
    pub last_serial: usize,
    /// The number of orphans that were cleaned up since the last report.
    pub cleaned: usize,
    pub closed: bool,
    /// The reaper was dropped.
    pub gone: bool,
    /// The number of runs that are alive.
    pub runs: usize,
    /// While a `Live` guard is cleaned up alone, which does not catch a second panic.
    pub alone: bool,
    /// While an unwinding drops a container, in which foreign code panics nevertheless.
    pub in_a_container: bool,
    /// While the order of the losses is unspecified.
    pub order_is_unknown: bool,
}

/// The value of several handles.
#[derive(Default)]
pub struct Shared {
    pub strong: usize,
    pub value: Option<Guard>,
    /// The future that makes it, which holds a handle once the value is made.
    pub task: Option<Task>,
}

impl Model {
    pub fn settle(&mut self, id: Id, how: Settled) {
        self.fates[id].settled.push(how);
    }

    /// Whether the `Debug` of its error panics.
    pub fn is_mute(&self, guard: &Guard) -> bool {
        match &guard.content {
            Content::Value(value) => value.spec.panics == In::ErrorDebug,
            Content::Arc(Handle::Shared(place)) | Content::Share(place) => {
                self.shared[*place].value.as_ref().is_some_and(|value| self.is_mute(value))
            }
            Content::Arc(Handle::Last(inner)) | Content::Wrap(inner) => self.is_mute(inner),
            _ => false,
        }
    }

    /// Reports a loss to the hook. If the hook panics, the thread unwinds from then on.
    pub fn report(&mut self, id: Id, cause: Cause, kind: GuardKind, unwinding: &mut bool) {
        let cause = if *unwinding { Cause::Unwinding } else { cause };
        self.settle(id, Settled::Reported((!self.order_is_unknown).then_some(cause), kind));
        *unwinding |= self.hook != Hook::Records;
    }

    /// Reports an error to the hook that no caller gets.
    pub fn suppress(&self, unwinding: &mut bool) {
        *unwinding |= self.hook == Hook::Panics;
    }
}
