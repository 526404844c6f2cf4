//! What the model knows of a guard: its state, how far it has come, and what is inside.

use super::making::Opening;
use crate::program::{Kind, Spec, Wrap};
use crate::statement::Id;

/// How far a guard has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Fresh,
    /// The library owns it while a body runs.
    Lent,
    /// Its cleanup has begun, and was left.
    Waiting,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Value,
    Arc,
    Wrap(Wrap),
    Map,
    Vec,
    Stack,
    Shared,
    /// What is being acquired.
    Opening,
}

pub struct Guard {
    pub id: Id,
    pub kind: Kind,
    pub form: Form,
    pub phase: Phase,
    /// The reaper knows of it.
    pub ticket: bool,
    pub what: What,
}

pub enum What {
    Value(Value),
    Arc(Handle),
    Wrap(Box<Guard>),
    Row(Row),
    Stack(Stack),
    /// A shared future, by the place of its value in the model's list.
    Share(usize),
    Opening(Opening),
    /// What was acquired for somebody who has gone.
    Acquired(Box<Guard>),
    Gone,
}

pub struct Value {
    pub spec: Spec,
    /// How often its running cleanup still waits; `None` if none runs.
    pub left: Option<u8>,
    pub inner: Option<Box<Guard>>,
}

pub enum Handle {
    /// By the place in the model's list.
    Shared(usize),
    Last(Box<Guard>),
    Gone,
}

/// A map or a vector. Once its cleanup has begun, the guards are held apart.
#[derive(Default)]
pub struct Row {
    pub is_map: bool,
    pub entries: Vec<(u8, Guard)>,
    /// With whether its cleanup runs.
    pub held: Vec<(Guard, bool)>,
    pub begun: bool,
    /// How many run at a time; 0 for no limit.
    pub limit: u8,
    pub panicked: bool,
}

#[derive(Default)]
pub struct Stack {
    pub guards: Vec<Guard>,
    pub panicked: bool,
}

impl Guard {
    /// Whether it can be used as what it is.
    pub fn is_usable(&self) -> bool {
        match self.phase {
            Phase::Done => false,
            Phase::Waiting => self.kind != Kind::Adopted,
            Phase::Fresh | Phase::Lent => true,
        }
    }

    /// Its owner has it as a guard again. A `Live` one has no place for how far its cleanup has come.
    pub fn put_back(&mut self) {
        if self.kind == Kind::Live && self.phase == Phase::Waiting {
            self.phase = Phase::Fresh;
        }
    }

    pub fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// The shared values that handles in here lead to.
    pub fn leads_to(&self) -> Vec<usize> {
        match &self.what {
            What::Value(value) => value.inner.iter().flat_map(|inner| inner.leads_to()).collect(),
            What::Arc(Handle::Shared(place)) | What::Share(place) => vec![*place],
            What::Arc(Handle::Last(guard)) | What::Wrap(guard) | What::Acquired(guard) => {
                guard.leads_to()
            }
            What::Row(row) => {
                let held = row.held.iter().map(|(guard, _)| guard);
                row.entries
                    .iter()
                    .map(|(_, guard)| guard)
                    .chain(held)
                    .flat_map(Self::leads_to)
                    .collect()
            }
            What::Stack(stack) => stack.guards.iter().flat_map(Self::leads_to).collect(),
            What::Arc(Handle::Gone) | What::Opening(_) | What::Gone => Vec::new(),
        }
    }

    /// How many guards in here still owe something, itself among them.
    pub fn owing(&self) -> usize {
        let inside = match &self.what {
            What::Value(value) => value.inner.as_ref().map_or(0, |inner| inner.owing()),
            What::Arc(Handle::Last(guard)) | What::Wrap(guard) | What::Acquired(guard) => {
                guard.owing()
            }
            What::Row(row) => {
                let held = row.held.iter().map(|(guard, _)| guard);
                row.entries.iter().map(|(_, guard)| guard).chain(held).map(Self::owing).sum()
            }
            What::Stack(stack) => stack.guards.iter().map(Self::owing).sum(),
            // Whoever lets go last may find the whole value.
            What::Arc(Handle::Shared(_)) | What::Share(_) => 1,
            What::Arc(Handle::Gone) | What::Opening(_) | What::Gone => 0,
        };
        usize::from(!self.is_done()) + inside
    }
}
