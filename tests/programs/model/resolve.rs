//! Runs a program on the model. Each operation picks guards that fit, and is recorded as a statement.

mod makings;
mod moves;
mod reapers;
mod scopes;

use std::collections::BTreeMap;

use livedrop::hook::{Cause, GuardKind};
use livedrop::reaper::Stage;

use super::cleanup::End;
use super::reaper::{Entry, Lane};
use super::tree::{Content, Form, Guard, Handle, Phase, Row, Stack, Value};
use super::{Fate, Model, Prediction, Settled, Shared};
use crate::program::{Empty, Finish, Kind, Op, Program, Spec};
use crate::sites::SITES;
use crate::statement::{Id, Polls, Statement};

use moves::shared;

/// The reaper is the first guard of a program.
pub const REAPER: Id = 0;

#[derive(Clone, Copy)]
struct Run {
    is_alive: bool,
    /// It is a future of `run_with`.
    spawns: bool,
}

/// The program's variables.
#[derive(Default)]
pub struct Resolver {
    model: Model,
    vars: BTreeMap<Id, Guard>,
    weaks: Vec<usize>,
    reaper: Option<Phase>,
    /// The lane of the handle that adopts.
    lane: Option<Lane>,
    /// The number of lanes.
    lanes: usize,
    runs: Vec<Run>,
    has_map: bool,
    /// The outcome depends on the order of the orphans, which a map does not keep.
    needs_order: bool,
    /// Whether each task of `run_with` was neither dropped nor polled to its end.
    are_tasks_open: Vec<bool>,
    statements: Vec<(Statement, bool)>,
}

pub fn run(program: &Program) -> Prediction {
    let model = Model { hook: program.hook, ..Model::default() };
    let mut run = Resolver { model, reaper: Some(Phase::Armed), ..Resolver::default() };
    run.new_id(false);
    for op in &program.ops {
        let _impossible = run.take(*op);
    }
    // The remaining variables are dropped, the youngest first; then the runs and the reaper.
    while let Some(&guard) = run.vars.keys().next_back() {
        run.drop_guard(guard, false);
    }
    run.finish(program.finish);
    let Resolver { statements, model, .. } = run;
    let Model { fates, body_panics, log, log_is_unordered, .. } = model;
    Prediction { statements, fates, body_panics, log: (!log_is_unordered).then_some(log) }
}

impl Resolver {
    /// Does nothing if no guard fits.
    fn take(&mut self, op: Op) -> Option<()> {
        match op {
            Op::Make { kind, spec } => {
                self.make(kind, spec)?;
            }
            Op::Empty { kind, container } => self.empty(kind, container)?,
            Op::Hold { pick, kind, spec } => self.hold(pick, kind, spec)?,
            Op::Arc { pick } => self.wrap(pick, Form::Arc)?,
            Op::Wrap { pick, how } => self.wrap(pick, Form::Wrap(how))?,
            Op::Acquire { making } => self.acquire(making)?,
            Op::Shield { spec } => self.shield(spec)?,
            Op::Open { pick, polls } => self.open(pick, polls)?,
            Op::Share { making } => self.share(making)?,
            Op::Ready { pick } => self.ready(pick)?,
            Op::Get { pick, polls } => self.get(pick, polls)?,
            Op::Clone { pick } => self.clone_handle(pick)?,
            Op::Downgrade { pick } => {
                let is_arc = |guard: &Guard| guard.form == Form::Arc && shared(guard).is_some();
                let of = self.pick(pick, is_arc)?;
                self.weaks.push(shared(&self.vars[&of])?);
                self.record(Statement::Downgrade { of });
            }
            Op::Upgrade { pick } => self.upgrade(pick)?,
            Op::Put { pick, into, key, spec } => self.put(pick, into, key, spec)?,
            Op::Take { pick, panics } => self.take_out(pick, panics)?,
            Op::Convert { pick, kind } => self.convert(pick, kind)?,
            Op::TryAdopt { pick } => self.try_adopt(pick)?,
            Op::Clean { pick, polls } => {
                // Seldom a guard that was cleaned up before: its cleanup does nothing.
                let guard =
                    self.pick(pick, |guard| !guard.is_future() && (!guard.is_done() || pick < 32))?;
                self.clean(guard, polls);
            }
            Op::Bracket { pick, held, body, polls } => {
                let is_value = |guard: &Guard| guard.form == Form::Value && guard.is_usable();
                let guard = self.pick(pick, is_value)?;
                let other = |other: &Guard| !other.is_future() && other.id != guard;
                let held = held.and_then(|held| self.pick(held, other));
                self.bracket(guard, held, body, polls);
            }
            Op::Scope { pick, body, polls, how, from_panics } => {
                self.scope(pick, body, polls, how, from_panics)?;
            }
            Op::ScopeBoth { first, second, body, polls, from_panics } => {
                self.scope_both((first, second), body, polls, from_panics)?;
            }
            Op::Via { pick, ending, polls } => self.via(pick, ending, polls)?,
            Op::Release { pick } => self.release(pick)?,
            Op::Remake { pick, spec, panics } => self.remake(pick, spec, panics)?,
            Op::Drop { pick, unwinding } => {
                let survives =
                    |guard: &Guard| unwinding && guard.is_container() && guard.may_panic();
                let guard = self.pick(pick, survives).or_else(|| self.pick(pick, |_| true))?;
                self.drop_guard(guard, unwinding);
            }
            _ => self.take_of_reaper(op)?,
        }
        Some(())
    }

    fn record(&mut self, statement: Statement) {
        self.statements.push((statement, false));
    }

    fn fates(&mut self, id: Id) -> &mut Fate {
        &mut self.model.fates[id]
    }

    fn new_id(&mut self, is_value: bool) -> Id {
        self.model.fates.push(Fate { is_value, ..Fate::default() });
        self.model.fates.len() - 1
    }

    /// The number of the next guard. `None` if no place is left to create it.
    fn may_create(&mut self) -> Option<Id> {
        (self.model.fates.len() < SITES).then(|| self.new_id(false))
    }

    /// 0 picks the youngest: proptest can then leave older operations out of the program.
    fn pick(&self, pick: u8, fits: impl Fn(&Guard) -> bool) -> Option<Id> {
        let fitting: Vec<Id> =
            self.vars.values().rev().filter(|guard| fits(guard)).map(|guard| guard.id).collect();
        let index = usize::from(pick).checked_rem(fitting.len())?;
        Some(fitting[index])
    }

    /// The same for an operation that takes the value. Seldom the value is gone: the operation panics then.
    fn pick_value(&self, pick: u8, fits: impl Fn(&Guard) -> bool) -> Option<Id> {
        self.pick(pick, |guard| {
            !guard.is_future() && fits(guard) && (guard.is_usable() || pick < 16)
        })
    }

    fn create(&mut self, id: Id, kind: Kind, form: Form, content: Content) {
        let entry = if kind == Kind::Adopted { self.adopt(id) } else { None };
        self.vars.insert(id, Guard { id, kind, form, phase: Phase::Armed, entry, content });
    }

    fn make(&mut self, kind: Kind, spec: Spec) -> Option<Id> {
        let id = self.may_create()?;
        self.fates(id).is_value = true;
        let content = Content::Value(Value { id, spec, left: None, inner: None });
        self.create(id, kind, Form::Value, content);
        self.record(Statement::Make { id, kind, spec });
        Some(id)
    }

    fn empty(&mut self, kind: Kind, container: Empty) -> Option<()> {
        if let Empty::Map = container {
            (!self.needs_order).then_some(())?;
            self.has_map = true;
        }
        let id = self.may_create()?;
        let (form, content) = match container {
            Empty::Map => (Form::Map, Content::Row(Row { is_map: true, ..Row::default() })),
            Empty::Vec(limit) => (Form::Vec, Content::Row(Row { limit, ..Row::default() })),
            Empty::Stack => (Form::Stack, Content::Stack(Stack::default())),
        };
        self.create(id, kind, form, content);
        self.record(Statement::Empty { id, kind, container });
        Some(())
    }

    fn hold(&mut self, pick: u8, kind: Kind, spec: Spec) -> Option<()> {
        let inner = self.pick(pick, |guard| !guard.is_future())?;
        let id = self.may_create()?;
        self.fates(id).is_value = true;
        let held = self.vars.remove(&inner).map(Box::new);
        let spec = spec.for_a_holder();
        let content = Content::Value(Value { id, spec, left: None, inner: held });
        self.create(id, kind, Form::Value, content);
        self.record(Statement::Hold { id, inner, kind, spec });
        Some(())
    }

    fn wrap(&mut self, pick: u8, form: Form) -> Option<()> {
        let inner = self.pick(pick, |guard| guard.form == Form::Value)?;
        let id = self.may_create()?;
        let guard = self.vars.remove(&inner)?;
        if form == Form::Arc {
            self.model.shared.push(Shared { strong: 1, value: Some(guard), task: None });
            let handle = self.model.handle(id, self.model.shared.len() - 1);
            self.vars.insert(id, handle);
            self.record(Statement::Arc { id, inner });
        } else if let Form::Wrap(how) = form {
            let kind = guard.kind;
            let content = Content::Wrap(Box::new(guard));
            let wrapper = Guard { id, kind, form, phase: Phase::Armed, entry: None, content };
            self.vars.insert(id, wrapper);
            self.record(Statement::Wrap { id, inner, how });
        }
        Some(())
    }

    fn clone_handle(&mut self, pick: u8) -> Option<()> {
        let of = self.pick(pick, |guard| shared(guard).is_some())?;
        let id = self.may_create()?;
        let place = shared(&self.vars[&of])?;
        let handle = if self.vars[&of].form == Form::Shared {
            self.model.share(id, place)
        } else {
            self.model.shared[place].strong += 1;
            self.model.handle(id, place)
        };
        self.vars.insert(id, handle);
        self.record(Statement::Clone { id, of });
        Some(())
    }

    fn upgrade(&mut self, pick: u8) -> Option<()> {
        let weak = usize::from(pick).checked_rem(self.weaks.len())?;
        let place = self.weaks[weak];
        let mut id = None;
        if self.model.shared[place].strong > 0 {
            let new = self.may_create()?;
            self.model.shared[place].strong += 1;
            let handle = self.model.handle(new, place);
            self.vars.insert(new, handle);
            id = Some(new);
        }
        self.record(Statement::Upgrade { weak, id });
        Some(())
    }
}
