//! The statements that poll a future: cleanups, bodies, and futures that make a value.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use livedrop::{Adopted, Checked, Live, bracket};

use super::super::Machine;
use super::scopes;
use crate::guards::{AnyGuard, Kind, Of, Owner, note, poll};
use crate::making::{Acquire, Get, Ready, Share, Shield};
use crate::program::{Ending, Kind as State};
use crate::sites::create_at;
use crate::statement::{Id, Polls, Statement};
use crate::value::{set_alone, text};

impl Machine {
    pub(super) fn run_future(&mut self, statement: &Statement) {
        match *statement {
            Statement::Clean { guard, polls } => self.clean(guard, polls),
            Statement::Bracket { guard, held, body, polls } => {
                let world = Arc::clone(&self.world);
                let held = Owner(held.map(|held| self.take(held)));
                in_its_state!(self.take(guard), of: S => {
                    let owner = bracket(form!(of, Value), async |_| {
                        let _held = held;
                        body.run(&world).await
                    });
                    note(&world, poll(&world, owner, polls).map(|(result, cleanup)| {
                        assert_eq!(result.is_err(), body.ending == Ending::Fails, "the body's error");
                        cleanup
                    }));
                });
            }
            Statement::Scope { guard, body, polls, how, from_panics } => {
                scopes::set_from(from_panics);
                set_alone(self.vars[&guard].is_live_value());
                self.scope(guard, body, polls, how);
            }
            Statement::ScopeBoth { first, second, body, polls, from_panics } => {
                scopes::set_from(from_panics);
                self.scope_both(first, second, body, polls);
            }
            Statement::Via { guard, ending, polls } => {
                let world = &self.world;
                let any = self.vars.remove(&guard).expect("the model has this guard");
                in_its_state!(any, of: S => note(world, S::via(world, guard, of, ending, polls)));
            }
            Statement::Acquire { id, value, making } => {
                let acquire = Acquire { world: &self.world, value, making };
                self.openings.insert(id, create_at(id, acquire, &self.handle));
            }
            Statement::Open { opening: id, polls, gives } => {
                let mut opening = self.openings.remove(&id).expect("the model has it");
                let opened = poll(&self.world, opening.as_mut(), polls);
                assert_eq!(matches!(opened, Some(Ok(_))), gives.is_some(), "given");
                match (opened, gives) {
                    (Some(Ok(guard)), Some(id)) => {
                        self.vars.insert(id, Adopted::any(Of::Value(guard)));
                    }
                    (Some(Err(error)), _) => self.world.push_message(&text(&error)),
                    _ => {
                        self.openings.insert(id, opening);
                    }
                }
            }
            Statement::Shield { id, spec } => {
                let shield = Shield { world: &self.world, id, spec };
                self.shields.insert(id, create_at(id, shield, &self.handle));
            }
            Statement::Await { shield: id, polls } => {
                let mut shield = self.shields.remove(&id).expect("the model has it");
                match poll(&self.world, shield.as_mut(), polls) {
                    None => {
                        self.shields.insert(id, shield);
                    }
                    ended => note(&self.world, ended),
                }
            }
            Statement::Share { id, value, making } => {
                let share = Share { world: &self.world, value, making };
                self.vars.insert(id, create_at(id, share, &self.handle));
            }
            Statement::Ready { id, inner } => {
                let handle = match self.take(inner) {
                    AnyGuard::Checked(of) => create_at(id, Ready(form!(of, Value)), &self.handle),
                    AnyGuard::Live(of) => create_at(id, Ready(form!(of, Value)), &self.handle),
                    AnyGuard::Adopted(_) => panic!("the model has it in another state"),
                };
                self.vars.insert(id, handle);
            }
            Statement::Get { handle, polls, gives } => self.get(handle, polls, gives),
            _ => self.run_reaper(statement),
        }
    }

    fn get(&mut self, handle: Id, polls: Polls, gives: Option<Id>) {
        // If the model has no handle, the place does not matter.
        let (at, reaper, world) = (gives.unwrap_or(1), &self.handle, &self.world);
        let got = in_its_state!(self.vars.remove(&handle).expect("a handle"), of: S => {
            let got = match &of {
                Of::Shared(shared) => create_at(at, Get(&**shared, world, polls), reaper),
                Of::SharedLive(shared) => create_at(at, Get(&**shared, world, polls), reaper),
                _ => panic!("the model has it in another form"),
            };
            self.vars.insert(handle, S::any(of));
            got
        });
        assert_eq!(matches!(got, Some(Ok(_))), gives.is_some(), "given");
        match got {
            Some(Ok(guard)) => self.vars.extend([(at, guard)]),
            Some(Err(panicked)) => self.world.push_message(panicked.message()),
            None => {}
        }
    }

    pub(super) fn clean(&mut self, id: Id, polls: Polls) {
        let any = self.take(id);
        set_alone(any.is_live_value());
        in_its_state!(any, of: S => {
            let mut hand = Some(of);
            // After a panic of the cleanup, the guard is still there.
            let world = Arc::clone(&self.world);
            let clean = AssertUnwindSafe(|| S::clean(&world, &mut hand, polls));
            let result = catch_unwind(clean);
            self.vars.extend(hand.map(|of| (id, S::any(of))));
            if let Err(payload) = result {
                resume_unwind(payload);
            }
        });
    }
}
