//! A model of the obligations of all guards. It shares no code with the library. It has no futures, no
//! drops and no panics, only a tree of guards whose cleanup advances step by step.

pub mod cleanup;
pub mod loss;
pub mod making;
pub mod resolve;
pub mod tree;
pub mod via;

use livedrop::hook::Cause;

use crate::program::Program;
use crate::statement::{Id, Statement};
use making::Task;
use tree::Guard;

/// How an obligation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Its cleanup ended, with any result.
    Discharged,
    /// It was ended by `async_drop_via`: that future ended, with any result.
    EndedVia,
    /// The value was reported as lost, to the hook or in the report of `abandon`. `None` if the cause
    /// depends on an unspecified order.
    Reported(Option<Cause>),
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
    /// Has exactly one element at the end.
    pub settled: Vec<Settled>,
}

/// The statements of the program, and the fates of its guards.
pub struct Prediction {
    /// Every statement, and whether it panics.
    pub statements: Vec<(Statement, bool)>,
    /// By number of creation. The first is the reaper.
    pub fates: Vec<Fate>,
}

pub fn predict(program: &Program) -> Prediction {
    resolve::run(program)
}

/// The state that all guards share.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Model {
    pub hook_panics: bool,
    pub fates: Vec<Fate>,
    pub shared: Vec<Shared>,
    /// The values that the reaper has to clean up, in their order of arrival.
    pub orphans: Vec<Guard>,
    /// The number of registered values, including the orphans.
    pub entries: usize,
    pub closed: bool,
    pub abandoned: bool,
    /// The number of drivers: the reaper and its run.
    pub drivers: usize,
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

    /// Reports a loss to the hook. If the hook panics, the thread unwinds from then on.
    pub fn report(&mut self, id: Id, cause: Cause, unwinding: &mut bool) {
        let cause = if *unwinding { Cause::Unwinding } else { cause };
        self.settle(id, Settled::Reported((!self.order_is_unknown).then_some(cause)));
        *unwinding |= self.hook_panics;
    }

    /// The reaper does not wait for this guard any more.
    pub fn deregister(&mut self, guard: &mut Guard) {
        if std::mem::take(&mut guard.registered) && !self.abandoned {
            self.entries -= 1;
        }
    }
}
