//! A guard in the model: its state, how far its cleanup has come, and its content.

use super::cleanup::Found;
use super::making::{Opening, Shielded};
use super::reaper::Entry;
use crate::program::{Ending, In, Key, KeyIn, Kind, Spec, Wrap};
use crate::statement::Id;

/// How far the cleanup of a guard has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Armed,
    /// The library owns the guard while a body borrows the value.
    Borrowed,
    /// The cleanup has begun, and waits.
    CleaningUp,
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
    /// A value that is being acquired.
    Opening,
    /// A future that the reaper shields.
    Shield,
}

pub struct Guard {
    pub id: Id,
    pub kind: Kind,
    pub form: Form,
    pub phase: Phase,
    /// Its entry in the reaper, which `abandon` may have removed.
    pub entry: Option<Entry>,
    pub content: Content,
}

pub enum Content {
    Value(Value),
    Arc(Handle),
    Wrap(Box<Guard>),
    Row(Row),
    Stack(Stack),
    /// A shared future, by the place of its value in the model's list.
    Share(usize),
    Opening(Opening),
    Shield(Shielded),
    Via(Via),
    Gone,
}

pub struct Value {
    pub id: Id,
    pub spec: Spec,
    /// How often its running cleanup still waits; `None` if none runs.
    pub left: Option<u8>,
    pub inner: Option<Box<Guard>>,
}

/// The future of `async_drop_via`, which owns the value.
pub struct Via {
    pub ending: Spec,
    /// How often it still waits; `None` if it has not begun.
    pub left: Option<u8>,
    pub value: Box<Content>,
}

pub enum Handle {
    /// The place in the model's list.
    Shared(usize),
    Last(Box<Guard>),
    Gone,
}

/// A map or a vector. Once its cleanup has begun, the guards are held apart.
#[derive(Default)]
pub struct Row {
    pub is_map: bool,
    pub entries: Vec<(Key, Guard)>,
    /// With each guard, whether its cleanup runs.
    pub held: Vec<(Guard, bool)>,
    pub begun: bool,
    /// The limit of concurrent cleanups; 0 for no limit.
    pub limit: u8,
    pub found: Found,
}

#[derive(Default)]
pub struct Stack {
    pub guards: Vec<Guard>,
    pub found: Found,
}

impl Guard {
    /// Whether its value can be used.
    pub fn is_usable(&self) -> bool {
        match self.phase {
            Phase::Done => false,
            Phase::CleaningUp => self.kind != Kind::Adopted || self.is_wrapper(),
            Phase::Armed | Phase::Borrowed => true,
        }
    }

    /// Whether it is a helper around an adopted guard. It has no registration: if it is dropped, the
    /// guard inside goes to its reaper.
    pub fn is_wrapper(&self) -> bool {
        self.kind == Kind::Adopted && matches!(self.form, Form::Arc | Form::Wrap(_))
    }

    /// Gives the guard back to its owner. A `Live` guard cannot keep how far its cleanup has come.
    pub fn put_back(&mut self) {
        if self.kind == Kind::Live && self.phase == Phase::CleaningUp {
            self.phase = Phase::Armed;
        }
    }

    pub fn is_container(&self) -> bool {
        matches!(self.form, Form::Map | Form::Vec | Form::Stack)
    }

    pub fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Whether it is a future of `acquire` or `shield`, and not a guard.
    pub fn is_future(&self) -> bool {
        matches!(self.form, Form::Opening | Form::Shield)
    }

    /// Whether the cleanup of the value panics, and then its `Drop`.
    pub fn panics_twice(&self) -> bool {
        let twice = |spec: Spec| spec.ending == Ending::Panics && spec.panics == In::Drop;
        matches!(&self.content, Content::Value(value) if twice(value.spec))
    }

    /// Whether it is a `Live` guard of a value.
    pub fn is_live_value(&self) -> bool {
        self.kind == Kind::Live && self.form == Form::Value
    }

    /// Whether the value is dropped by a future of its cleanup and panics then. While the thread is
    /// panicking, that future reports the panic.
    pub fn is_in_its_cleanup(&self) -> bool {
        let panics =
            matches!(&self.content, Content::Value(value) if value.spec.panics == In::Drop);
        let has_begun = self.phase == Phase::CleaningUp;
        panics && self.kind == Kind::Adopted && (has_begun || self.entry.is_some())
    }

    /// Whether foreign code in it may panic when it is dropped.
    pub fn may_panic(&self) -> bool {
        match &self.content {
            Content::Value(value) => {
                let inner = value.inner.as_ref();
                value.spec.panics == In::Drop || inner.is_some_and(|inner| inner.may_panic())
            }
            Content::Arc(Handle::Last(guard)) | Content::Wrap(guard) => guard.may_panic(),
            Content::Row(row) => {
                let held = row.held.iter().map(|(guard, _)| guard);
                row.entries.iter().any(|(key, _)| key.panics == KeyIn::Drop)
                    || row.entries.iter().map(|(_, guard)| guard).chain(held).any(Self::may_panic)
            }
            Content::Stack(stack) => stack.guards.iter().any(Self::may_panic),
            Content::Arc(Handle::Gone) | Content::Shield(_) | Content::Gone => false,
            Content::Arc(Handle::Shared(_))
            | Content::Share(_)
            | Content::Opening(_)
            | Content::Via(_) => true,
        }
    }

    /// The number of guards that still need a cleanup, itself included.
    pub fn owing(&self) -> usize {
        let inside = match &self.content {
            Content::Value(value) => value.inner.as_ref().map_or(0, |inner| inner.owing()),
            Content::Arc(Handle::Last(guard)) | Content::Wrap(guard) => guard.owing(),
            Content::Row(row) => {
                let held = row.held.iter().map(|(guard, _)| guard);
                row.entries.iter().map(|(_, guard)| guard).chain(held).map(Self::owing).sum()
            }
            Content::Stack(stack) => stack.guards.iter().map(Self::owing).sum(),
            // The last handle may hold the whole value.
            Content::Arc(Handle::Shared(_)) | Content::Share(_) => 1,
            Content::Arc(Handle::Gone)
            | Content::Opening(_)
            | Content::Shield(_)
            | Content::Via(_)
            | Content::Gone => 0,
        };
        usize::from(!self.is_done() && !self.is_wrapper()) + inside
    }
}
