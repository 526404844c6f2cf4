//! The strict scopes, and their bodies.

use std::cell::Cell;
use std::fmt::Debug;
use std::sync::Arc;

use livedrop::state::{Backs, EntersScope};
use livedrop::{AsyncDrop, AsyncDropGuard, async_drop_all, scope, try_or_drop};

use super::super::Machine;
use crate::guards::{AnyGuard, Of, poll};
use crate::program::{Body, Ending, Strict};
use crate::statement::{Id, Polls};
use crate::value::{Failures, Value, World, drop_caught, ending, text};

thread_local! {
    static FROM_PANICS: Cell<bool> = const { Cell::new(false) };
}

/// Sets whether the conversions of the next scope panic.
pub(super) fn set_from(panics: bool) {
    FROM_PANICS.set(panics);
}

/// The error of a body, or of a cleanup after it. It has no `Debug`, so that every error that has one
/// converts to it.
struct BodyError(String);

impl<E: Debug> From<E> for BodyError {
    fn from(error: E) -> Self {
        let text = text(&error);
        drop_caught(error);
        assert!(!FROM_PANICS.get(), "in `From`: {text}");
        Self(text)
    }
}

const OWN_ERROR: &str = "the body";

impl Body {
    pub(super) async fn run(self, world: &World) -> Result<(), &'static str> {
        world.wait(self.waits).await;
        match self.ending {
            Ending::Ok => Ok(()),
            Ending::Fails => Err(OWN_ERROR),
            Ending::Panics => panic!("the body"),
        }
    }

    /// Checks that the body's own error comes before the error of a cleanup.
    fn note(self, world: &World, ended: Option<Result<(), BodyError>>) {
        let Some(result) = ended else { return };
        let own = result.as_ref().is_err_and(|error| error.0 == format!("{OWN_ERROR:?}"));
        assert_eq!(own, self.ending == Ending::Fails, "the body's error");
        if let Err(error) = result {
            world.push_message(&error.0);
        }
    }
}

/// Evaluates `$do` with a guard that may enter a scope, in any form.
macro_rules! each_strict {
    ($any:expr, $guard:ident => $do:expr) => {
        match $any {
            AnyGuard::Live(of) => each_form!(of, $guard => $do),
            AnyGuard::Adopted(of) => each_form!(of, $guard => $do),
            AnyGuard::Checked(_) => panic!("the model has it in another state"),
        }
    };
}

/// The same for the forms that a scope over two guards has.
macro_rules! some_strict {
    ($any:expr, $guard:ident: $($form:ident)|+ => $do:expr) => {
        match $any {
            $(
                AnyGuard::Live(Of::$form($guard)) => $do,
                AnyGuard::Adopted(Of::$form($guard)) => $do,
            )+
            _ => panic!("the model has it in another state or form"),
        }
    };
}

impl Machine {
    pub(super) fn scope(&mut self, id: Id, body: Body, polls: Polls, how: Strict) {
        let world = Arc::clone(&self.world);
        each_strict!(self.take(id), guard => {
            let ended = match how {
                Strict::Function => poll(&world, scope(guard, async |guard| {
                    let result = body.run(&world).await.map_err(BodyError::from);
                    guard.async_drop().await.after(result)
                }), polls),
                Strict::Macro => poll(&world, scope!(guard, async |guard| {
                    try_or_drop!(guard, body.run(&world).await);
                    guard.async_drop().await.after(Ok::<_, BodyError>(()))
                }), polls),
                Strict::Via(spec) => poll(&world, scope!(guard, async |guard| {
                    try_or_drop!(guard, body.run(&world).await);
                    let (proof, result) = guard.async_drop_via(ending(&world, id, spec)).await;
                    (proof, result.map_err(BodyError::from))
                }), polls),
            };
            body.note(&world, ended);
        });
    }

    pub(super) fn scope_both(&mut self, first: Id, second: Id, body: Body, polls: Polls) {
        let world = Arc::clone(&self.world);
        let (first, second) = (self.take(first), self.take(second));
        let ended = some_strict!(first, first: Value | Arc | Mutex => {
            some_strict!(second, second: Value => both(&world, (first, second), body, polls))
        });
        body.note(&world, ended);
    }
}

fn both<T, S, R>(
    world: &World,
    (first, second): (AsyncDropGuard<T, S>, AsyncDropGuard<Value, R>),
    body: Body,
    polls: Polls,
) -> Option<Result<(), BodyError>>
where
    T: AsyncDrop<Error = Failures>,
    S: EntersScope<T, Backing: Backs<T>>,
    R: EntersScope<Value, Backing: Backs<Value>>,
{
    let ended = scope!((first, second), async |first, second| {
        try_or_drop!((first, second), body.run(world).await);
        async_drop_all((first, second)).await.after(Ok::<_, BodyError>(()))
    });
    poll(world, ended, polls)
}
