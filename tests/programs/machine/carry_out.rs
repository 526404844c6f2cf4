//! The statements, one by one.

use livedrop::collections::AsyncDropResult;
use livedrop::sync::{AsyncDropArc, AsyncDropMutex, AsyncDropTokioMutex};
use livedrop::{Adopted, Checked, Live};

use super::{Machine, Weak};
use crate::guards::{AnyGuard, Kind, Of, Owner};
use crate::making::CloneShared;
use crate::program::Kind as State;
use crate::sites::{Create, create_at};
use crate::statement::{Id, Statement};
use crate::value::{Key, Value};

/// Evaluates `$do` with `$S` as the state.
macro_rules! in_state {
    ($state:expr, $S:ident => $do:expr) => {
        match $state {
            State::Checked => {
                type $S = Checked;
                $do
            }
            State::Live => {
                type $S = Live;
                $do
            }
            State::Adopted => {
                type $S = Adopted;
                $do
            }
        }
    };
}

/// The same for a guard, with `$of` as the guard.
macro_rules! in_its_state {
    ($any:expr, $of:ident: $S:ident => $do:expr) => {{
        let any = $any;
        match any.state() {
            State::Checked => {
                type $S = Checked;
                let $of = $S::of(any);
                $do
            }
            State::Live => {
                type $S = Live;
                let $of = $S::of(any);
                $do
            }
            State::Adopted => {
                type $S = Adopted;
                let $of = $S::of(any);
                $do
            }
        }
    }};
}

/// The guard, which must have this form.
macro_rules! form {
    ($of:expr, $form:ident) => {
        match $of {
            Of::$form(guard) => guard,
            _ => panic!("the model has it in another form"),
        }
    };
}

mod futures;
mod reaper;
mod scopes;

impl AnyGuard {
    fn state(&self) -> State {
        match self {
            Self::Checked(_) => State::Checked,
            Self::Live(_) => State::Live,
            Self::Adopted(_) => State::Adopted,
        }
    }
}

impl Machine {
    #[expect(clippy::too_many_lines, reason = "it is a list")]
    pub(super) fn run(&mut self, statement: &Statement) {
        match *statement {
            Statement::Make { id, kind, spec } => {
                let value = Value::new(&self.world, id, spec, None);
                in_state!(kind, S => self.create::<S>(id, Create::Value(value)));
            }
            Statement::Hold { id, inner, kind, spec } => {
                let inner = in_its_state!(self.take(inner), of: S => S::hold(of));
                let value = Value::new(&self.world, id, spec, Some(inner));
                in_state!(kind, S => self.create::<S>(id, Create::Value(value)));
            }
            Statement::Empty { id, kind, container } => {
                in_state!(kind, S => self.create::<S>(id, Create::Empty(container)));
            }
            Statement::Arc { id, inner } => in_its_state!(self.take(inner), of: S => {
                self.create::<S>(id, Create::Arc(form!(of, Value)));
            }),
            Statement::Wrap { id, inner, how } => in_its_state!(self.take(inner), of: S => {
                self.create::<S>(id, Create::Wrap(how, form!(of, Value)));
            }),
            Statement::Clone { id, of: handle } => in_its_state!(self.take(handle), of: S => {
                let reaper = &self.handle;
                let new = match &of {
                    Of::Arc(old) => create_at(id, Create::<S>::Clone(old), reaper).expect("one"),
                    Of::Shared(old) => create_at(id, CloneShared(&**old), reaper),
                    Of::SharedLive(old) => create_at(id, CloneShared(&**old), reaper),
                    _ => panic!("the model has it in another form"),
                };
                self.vars.extend([(id, new), (handle, S::any(of))]);
            }),
            Statement::Downgrade { of: handle } => self.downgrade(handle),
            Statement::Upgrade { weak, id } => self.upgrade(weak, id),
            Statement::Insert { map, key, guard, replaced } => {
                let guard = self.take(guard);
                in_its_state!(guard, of: S => {
                    let map = form!(S::of_mut(self.vars.get_mut(&map).expect("a map")), Map);
                    let old = map.insert(Key(key), form!(of, Value));
                    assert_eq!(old.is_some(), replaced.is_some(), "replaced");
                    if let (Some(old), Some(id)) = (old, replaced) {
                        self.vars.insert(id, S::any(Of::Value(old)));
                    }
                });
            }
            Statement::Push { into, guard } => {
                let guard = self.take(guard);
                in_its_state!(guard, of: S => {
                    let guard = form!(of, Value);
                    match S::of_mut(self.vars.get_mut(&into).expect("a container")) {
                        Of::Vec(vec) => vec.push(guard),
                        Of::Stack(stack) => drop(stack.push(guard)),
                        _ => panic!("the model has it in another form"),
                    }
                });
            }
            Statement::Remove { map: from, gives, .. } | Statement::Pop { vec: from, gives } => {
                in_state!(self.vars[&from].state(), S => {
                    let value = match (S::of_mut(self.vars.get_mut(&from).expect("one")), statement) {
                        (Of::Map(map), Statement::Remove { key, .. }) => map.remove(&Key(*key)),
                        (Of::Vec(vec), _) => vec.pop(),
                        _ => panic!("the model has it in another form"),
                    };
                    let value = value.expect("the model has a guard in the container");
                    self.vars.insert(gives, S::any(Of::Value(value)));
                });
            }
            Statement::PopAll { id, stack } => in_its_state!(self.take(stack), of: S => {
                let mut old = form!(of, Stack);
                self.create::<S>(id, Create::PopAll(&mut old));
                self.vars.insert(stack, S::any(Of::Stack(old)));
            }),
            Statement::IntoInner { wrapper, gives } => self.take_out(wrapper, gives),
            Statement::Convert { guard, kind, gone } => {
                in_its_state!(self.take(guard), of: S => {
                    let converted = S::convert(of, kind, &self.handle);
                    assert_eq!(converted.is_none(), gone, "is the proof");
                    self.vars.extend(converted.map(|any| (guard, any)));
                });
            }
            Statement::Release { guard } => {
                in_its_state!(self.take(guard), of: S => S::release(of));
            }
            Statement::Remake { guard, id, spec, panics } => {
                in_its_state!(self.take(guard), of: S => {
                    let make = |value: Value| {
                        assert!(!panics, "no value");
                        value.remake(id, spec)
                    };
                    self.create::<S>(id, Create::Remake(form!(of, Value), &make));
                });
            }
            Statement::TryAdopt { guard, refused } => {
                in_its_state!(self.take(guard), of: S => {
                    let (adopted, is_refused) = S::try_adopt(of, &self.handle);
                    assert_eq!(is_refused, refused, "refused");
                    self.vars.insert(guard, adopted);
                });
            }
            Statement::Drop { guard, unwinding } => {
                if let Some(opening) = self.openings.remove(&guard) {
                    drop_by(opening, unwinding);
                } else if let Some(shield) = self.shields.remove(&guard) {
                    drop_by(shield, unwinding);
                } else {
                    drop_by(Owner(Some(self.take(guard))), unwinding);
                }
            }
            _ => self.run_future(statement),
        }
    }

    fn downgrade(&mut self, id: Id) {
        self.weaks.push(match &self.vars[&id] {
            AnyGuard::Checked(of) => Weak::Checked(AsyncDropArc::downgrade(form!(of, Arc))),
            AnyGuard::Live(of) => Weak::Live(AsyncDropArc::downgrade(form!(of, Arc))),
            AnyGuard::Adopted(of) => Weak::Adopted(AsyncDropArc::downgrade(form!(of, Arc))),
        });
    }

    fn upgrade(&mut self, weak: usize, id: Option<Id>) {
        // If the model has no handle, the place does not matter.
        let (at, handle) = (id.unwrap_or(1), &self.handle);
        let upgraded = match &self.weaks[weak] {
            Weak::Checked(weak) => create_at(at, Create::Upgrade(weak), handle),
            Weak::Live(weak) => create_at(at, Create::Upgrade(weak), handle),
            Weak::Adopted(weak) => create_at(at, Create::Upgrade(weak), handle),
        };
        assert_eq!(upgraded.is_some(), id.is_some(), "upgraded");
        self.vars.extend(upgraded.map(|handle| (at, handle)));
    }

    fn take_out(&mut self, wrapper: Id, gives: Option<Id>) {
        in_its_state!(self.take(wrapper), of: S => {
            let inner = match of {
                Of::Mutex(guard) => Ok(AsyncDropMutex::into_inner(guard)),
                Of::TokioMutex(guard) => Ok(AsyncDropTokioMutex::into_inner(guard)),
                Of::Result(guard) => Ok(AsyncDropResult::into_inner(guard).expect("a guard")),
                Of::Arc(guard) => AsyncDropArc::into_inner(guard),
                _ => panic!("the model has it in another form"),
            };
            assert_eq!(inner.is_ok(), gives.is_some(), "given back");
            let (id, of) = match inner {
                Ok(inner) => (gives.expect("just compared"), Of::Value(inner)),
                Err(refused) => (wrapper, Of::Arc(refused)),
            };
            self.vars.insert(id, S::any(of));
        });
    }
}

/// Drops the value, or panics so that the unwinding drops it.
fn drop_by<T>(owned: T, unwinding: bool) {
    let _owned = owned;
    assert!(!unwinding, "the unwinding drops the value");
}
