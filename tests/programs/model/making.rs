//! Futures that make a value in the model: acquired values, and futures that are shared before they
//! are ready.

use livedrop::reaper::Stage;

use super::cleanup::End;
use super::reaper::Lane;
use super::tree::{Content, Form, Guard, Handle, Phase, Value};
use super::{Model, Settled};
use crate::program::{self, Ending, Kind, Spec};
use crate::statement::Id;

/// A future that makes a value.
pub struct Making {
    /// The number of the value.
    pub id: Id,
    plan: program::Making,
    /// How often it still waits; `None` if it has not begun to wait.
    left: Option<u8>,
    /// The future holds the guard until it ends.
    made: Option<Box<Guard>>,
}

/// The end of such a future.
pub enum Made {
    Given(Guard),
    Failed,
    /// `itself` if the future panicked, and not the hook that reported a loss in it.
    Panicked {
        itself: bool,
    },
}

/// Acquires a value.
pub struct Opening {
    pub making: Making,
    /// The lane of its handle.
    pub lane: Option<Lane>,
    pub polled: bool,
}

/// A future that the reaper shields.
pub struct Shielded {
    pub spec: Spec,
    /// How often it still waits; `None` if it was not polled.
    pub left: Option<u8>,
    /// The lane of its handle.
    pub lane: Option<Lane>,
}

/// A future with several handles.
pub struct Task {
    pub handles: usize,
    /// The state of the value's guard, and of new handles.
    pub kind: Kind,
    pub future: Future,
}

pub enum Future {
    Making(Making),
    Made,
    /// With the number of the value that was never made.
    Panicked(Id),
}

/// How a handle ended its share of the future.
enum ShareEnd {
    Ended(End),
    /// It was the last handle. It holds the value now.
    HasValue,
}

impl Shielded {
    /// One poll. `None` while it is pending.
    pub fn poll(&mut self) -> Option<Ending> {
        let left = self.left.map_or(self.spec.waits, |left| left.saturating_sub(1));
        self.left = Some(left);
        (left == 0).then_some(self.spec.ending)
    }
}

impl Making {
    pub fn new(id: Id, plan: program::Making) -> Self {
        Self { id, plan, left: None, made: None }
    }
}

impl Model {
    /// One poll. `None` while it is pending.
    pub fn poll_making(&mut self, making: &mut Making) -> Option<Made> {
        let program::Making { kind, spec, before, after, ending } = making.plan;
        let guard = loop {
            let waits = if making.made.is_some() { after } else { before };
            let left = making.left.map_or(waits, |left| left.saturating_sub(1));
            making.left = Some(left);
            if left > 0 {
                return None;
            }
            making.left = None;
            if let Some(guard) = making.made.take() {
                break *guard;
            }
            self.fates[making.id].is_value = true;
            let content = Content::Value(Value { id: making.id, spec, left: None, inner: None });
            let (form, phase) = (Form::Value, Phase::Armed);
            let guard = Guard { id: making.id, kind, form, phase, entry: None, content };
            making.made = Some(Box::new(guard));
        };
        if ending == Ending::Ok {
            return Some(Made::Given(guard));
        }
        let mut unwinding = ending == Ending::Panics;
        self.lose(guard, &mut unwinding);
        Some(if unwinding {
            Made::Panicked { itself: ending == Ending::Panics }
        } else {
            Made::Failed
        })
    }

    /// Drops the future, with the guard in it.
    pub fn lose_making(&mut self, making: Making, unwinding: &mut bool) {
        match making.made {
            Some(guard) => self.lose(*guard, unwinding),
            None => self.settle(making.id, Settled::Released),
        }
    }

    /// A handle of the shared future.
    pub fn share(&mut self, id: Id, place: usize) -> Guard {
        let task = self.shared[place].task.as_mut().expect("the future is there");
        task.handles += 1;
        let (kind, content) = (task.kind, Content::Share(place));
        Guard { id, kind, form: Form::Shared, phase: Phase::Armed, entry: None, content }
    }

    /// One poll of the shared future. `Err` has the number of the value that was never made.
    pub fn poll_task(&mut self, place: usize) -> Option<Result<(), Id>> {
        let mut task = self.shared[place].task.take().expect("there is a handle");
        if let Future::Making(making) = &mut task.future
            && let Some(made) = self.poll_making(making)
        {
            task.future = if let Made::Given(guard) = made {
                self.shared[place].strong += 1;
                self.shared[place].value = Some(guard);
                Future::Made
            } else {
                Future::Panicked(making.id)
            };
        }
        let poll = match task.future {
            Future::Making(_) => None,
            Future::Made => Some(Ok(())),
            Future::Panicked(id) => Some(Err(id)),
        };
        self.shared[place].task = Some(task);
        poll
    }

    /// One poll of the cleanup of a handle that may have no value yet.
    pub fn poll_unmade(&mut self, guard: &mut Guard) -> Option<End> {
        let Content::Share(place) = guard.content else { unreachable!("it is a handle") };
        match self.poll_share(place)? {
            ShareEnd::Ended(end) => {
                guard.content = Content::Gone;
                Some(end)
            }
            ShareEnd::HasValue => {
                let mut handle = Handle::Shared(place);
                let end = self.poll_handle(&mut handle);
                guard.content = Content::Arc(handle);
                end
            }
        }
    }

    /// One poll of an orphaned future of `acquire` or `shield`. An acquired value takes its place.
    pub fn poll_future(&mut self, guard: &mut Guard) -> Option<End> {
        let end = match &mut guard.content {
            // The reaper drops the output.
            Content::Shield(shielded) => match shielded.poll()? {
                Ending::Ok | Ending::Fails => End::Ok,
                Ending::Panics => {
                    self.fates[guard.id].failures += 1;
                    End::Panic
                }
            },
            Content::Opening(opening) => match self.poll_making(&mut opening.making)? {
                Made::Given(value) => {
                    self.settle(guard.id, Settled::Released);
                    *guard = Guard { kind: Kind::Adopted, entry: guard.entry, ..value };
                    self.rename_entry(guard, Stage::Orphaned);
                    return self.poll(guard);
                }
                // The error is reported to nobody.
                Made::Failed => End::Ok,
                Made::Panicked { itself } => {
                    self.fates[opening.making.id].failures += usize::from(itself);
                    End::Panic
                }
            },
            _ => unreachable!("it is a future"),
        };
        guard.content = Content::Gone;
        guard.phase = Phase::Done;
        self.remove_entry(guard);
        self.settle(guard.id, Settled::Released);
        Some(end)
    }

    /// A handle that is not the last is released. The last one awaits the future.
    fn poll_share(&mut self, place: usize) -> Option<ShareEnd> {
        let task = self.shared[place].task.as_mut().expect("there is a handle");
        if task.handles > 1 {
            task.handles -= 1;
            return Some(ShareEnd::Ended(End::Ok));
        }
        let is_reported = matches!(task.future, Future::Panicked(_));
        let value = self.poll_task(place)?;
        self.shared[place].task = None;
        Some(match value {
            Ok(()) => ShareEnd::HasValue,
            Err(_) if is_reported => ShareEnd::Ended(End::Ok),
            Err(id) => {
                self.fates[id].failures += 1;
                ShareEnd::Ended(End::Panic)
            }
        })
    }

    /// Drops a handle of a shared future.
    pub fn lose_share(&mut self, place: usize, unwinding: &mut bool) {
        let task = self.shared[place].task.as_mut().expect("there is a handle");
        task.handles -= 1;
        if task.handles > 0 {
            return;
        }
        match self.shared[place].task.take().expect("it was there").future {
            Future::Making(making) => self.lose_making(making, unwinding),
            Future::Made => self.lose_handle(place, unwinding),
            Future::Panicked(_) => {}
        }
    }
}
