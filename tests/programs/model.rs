//! A plain model of who owes what. It shares no code with the library: no futures, no drops, no
//! panics, only a tree of guards whose cleanup is taken step by step.

pub mod cleanup;
pub mod loss;
pub mod making;
pub mod resolve;
pub mod tree;

use livedrop::hook::Cause;

use crate::program::Program;
use crate::statement::{Id, Statement};
use making::Task;
use tree::Guard;

/// Who made the obligation go away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Its cleanup ended, with whatever result.
    Discharged,
    /// It was named as lost: to the hook, or in the report of `abandon`. The cause is missing
    /// where it depends on an order that nothing fixes.
    Reported(Option<Cause>),
    /// The program took the value out itself, or what was wrapped.
    Excused,
}

/// What is predicted about one guard.
#[derive(Debug, Default)]
pub struct Fate {
    /// How often the cleanup of the value itself begins.
    pub begun: usize,
    /// Whether it is a value of the test, not a container of the library.
    pub is_value: bool,
    /// How often somebody is told that it went wrong: that its cleanup ended with an error or a
    /// panic of its own, or that what was to make it did.
    pub told: usize,
    /// Exactly one in the end.
    pub settled: Vec<Settled>,
}

/// What the program does, and what becomes of it.
pub struct Prediction {
    /// Every statement, and whether a panic comes out of it.
    pub statements: Vec<(Statement, bool)>,
    /// By number of creation. The first is the reaper.
    pub fates: Vec<Fate>,
}

pub fn predict(program: &Program) -> Prediction {
    resolve::run(program)
}

/// What all guards have in common.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are no states of one thing")]
pub struct Model {
    pub hook_panics: bool,
    pub fates: Vec<Fate>,
    pub shared: Vec<Shared>,
    /// What the reaper has to clean up, in the order of its coming.
    pub orphans: Vec<Guard>,
    /// How many adopted values the reaper knows of, orphans among them.
    pub entries: usize,
    pub closed: bool,
    pub abandoned: bool,
    /// The reaper and its run.
    pub keepers: usize,
    /// While the order is not fixed in which the losses are found.
    pub vague: bool,
}

/// The value of several handles.
#[derive(Default)]
pub struct Shared {
    pub strong: usize,
    pub value: Option<Guard>,
    /// The future that makes it, which is one of those that hold it once it is made.
    pub task: Option<Task>,
}

impl Model {
    pub fn settle(&mut self, id: Id, how: Settled) {
        self.fates[id].settled.push(how);
    }

    /// A loss: the hook is told. Where the thread is not unwinding yet, it may be then.
    pub fn report(&mut self, id: Id, cause: Cause, unwinding: &mut bool) {
        let cause = if *unwinding { Cause::Unwinding } else { cause };
        self.settle(id, Settled::Reported((!self.vague).then_some(cause)));
        *unwinding |= self.hook_panics;
    }

    /// The reaper need not wait for it any more.
    pub fn strike_off(&mut self, guard: &mut Guard) {
        if std::mem::take(&mut guard.ticket) && !self.abandoned {
            self.entries -= 1;
        }
    }
}
