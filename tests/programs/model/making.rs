//! Futures that make a value in the model: what is being acquired, and what is shared before it
//! is there.

use super::cleanup::End;
use super::tree::{Form, Guard, Handle, Phase, Value, What};
use super::{Model, Settled};
use crate::program::{self, Ending, Kind};
use crate::statement::Id;

/// A future that makes a value.
pub struct Making {
    /// The value's.
    pub id: Id,
    plan: program::Making,
    /// How often it still waits, if it has begun to.
    left: Option<u8>,
    /// In the future until that ends.
    made: Option<Box<Guard>>,
}

/// The end of such a future.
pub enum Made {
    Given(Guard),
    Failed,
    /// By the future itself, or by the hook that was told of a loss in it.
    Panicked {
        itself: bool,
    },
}

/// Acquires a value for whoever polls it.
pub struct Opening {
    pub making: Making,
    pub polled: bool,
}

/// A future with several handles.
pub struct Task {
    pub handles: usize,
    /// Of the value's guard, and so of new handles.
    pub kind: Kind,
    pub future: Future,
}

pub enum Future {
    Making(Making),
    Made,
    /// By the value that there will never be.
    Panicked(Id),
}

/// How a handle has let go of the future.
enum LetGo {
    Ended(End),
    /// It was the last, and holds the value instead.
    HasValue,
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
            let what = What::Value(Value { spec, left: None, inner: None });
            let (form, phase) = (Form::Value, Phase::Fresh);
            let guard = Guard { id: making.id, kind, form, phase, ticket: false, what };
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

    /// The future is dropped as it is, and with it what is in there.
    pub fn lose_making(&mut self, making: Making, unwinding: &mut bool) {
        match making.made {
            Some(guard) => self.lose(*guard, unwinding),
            None => self.settle(making.id, Settled::Excused),
        }
    }

    /// A handle of the shared future.
    pub fn share(&mut self, id: Id, place: usize) -> Guard {
        let task = self.shared[place].task.as_mut().expect("the future is there");
        task.handles += 1;
        let (kind, what) = (task.kind, What::Share(place));
        Guard { id, kind, form: Form::Shared, phase: Phase::Fresh, ticket: false, what }
    }

    /// One poll of the shared future: whether there is a value, or else whose there would be.
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

    /// One poll of the cleanup of what may have no value yet.
    pub fn poll_unmade(&mut self, guard: &mut Guard) -> Option<End> {
        match &mut guard.what {
            What::Share(place) => {
                let place = *place;
                match self.poll_share(place)? {
                    LetGo::Ended(end) => {
                        guard.what = What::Gone;
                        Some(end)
                    }
                    LetGo::HasValue => {
                        let mut handle = Handle::Shared(place);
                        let end = self.poll_handle(&mut handle);
                        guard.what = What::Arc(handle);
                        end
                    }
                }
            }
            What::Opening(opening) => match self.poll_making(&mut opening.making)? {
                Made::Given(value) => {
                    guard.what = What::Acquired(Box::new(value));
                    let What::Acquired(value) = &mut guard.what else { unreachable!() };
                    self.poll(value)
                }
                // Nobody is told of the error.
                Made::Failed => {
                    guard.what = What::Gone;
                    Some(End::Result)
                }
                Made::Panicked { itself } => {
                    self.fates[opening.making.id].told += usize::from(itself);
                    guard.what = What::Gone;
                    Some(End::Panic)
                }
            },
            _ => unreachable!("it is made"),
        }
    }

    /// Whoever is not the last lets go; the last one awaits the future.
    fn poll_share(&mut self, place: usize) -> Option<LetGo> {
        let task = self.shared[place].task.as_mut().expect("there is a handle");
        if task.handles > 1 {
            task.handles -= 1;
            return Some(LetGo::Ended(End::Result));
        }
        let told = matches!(task.future, Future::Panicked(_));
        let value = self.poll_task(place)?;
        self.shared[place].task = None;
        Some(match value {
            Ok(()) => LetGo::HasValue,
            Err(_) if told => LetGo::Ended(End::Result),
            Err(id) => {
                self.fates[id].told += 1;
                LetGo::Ended(End::Panic)
            }
        })
    }

    /// One handle less of a shared future.
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
