//! Guards of the library in any state and of any form, and the operations of each state.

use std::fmt::Debug;
use std::sync::Arc;
use std::task::Poll;

use livedrop::collections::{AsyncDropHashMap, AsyncDropResult, AsyncDropStack, AsyncDropVec};
use livedrop::reaper::Adoptable;
use livedrop::state::{Accepts, Cleanable, UnscopedState};
use livedrop::sync::{AsyncDropArc, AsyncDropMutex, AsyncDropTokioMutex};
use livedrop::{Adopted, AsyncDropGuard, Checked, Live, ReaperHandle};

use crate::making::SharedOf;
use crate::program::{Empty, Kind as State, Spec};
use crate::statement::{Id, Polls};
use crate::value::{
    Failures, Key, Obligation, Value, World, drop_caught, drop_container, ending, text,
};

pub type Map<S> = AsyncDropHashMap<Key, Value, S>;
pub type Row<S> = AsyncDropVec<Value, S>;
pub type Outcome<S> = AsyncDropResult<Value, (), S>;

/// A guard in the state `S`.
pub enum Of<S: Kind> {
    Value(AsyncDropGuard<Value, S>),
    Arc(AsyncDropGuard<AsyncDropArc<Value, S>, S>),
    Mutex(AsyncDropGuard<AsyncDropMutex<Value, S>, S>),
    TokioMutex(AsyncDropGuard<AsyncDropTokioMutex<Value, S>, S>),
    Result(AsyncDropGuard<Outcome<S>, S>),
    Map(AsyncDropGuard<Map<S>, S>),
    Vec(AsyncDropGuard<Row<S>, S>),
    Stack(AsyncDropGuard<AsyncDropStack<S>, S>),
    /// A handle of a future that makes a `Checked` guard.
    Shared(AsyncDropGuard<SharedOf<Checked>, S>),
    /// A handle of a future that makes a `Live` guard.
    SharedLive(AsyncDropGuard<SharedOf<Live>, S>),
}

/// Does `$do` to the guard, in any form.
macro_rules! each_form {
    ($of:expr, $guard:ident => $do:expr) => {
        match $of {
            Of::Value($guard) => $do,
            Of::Arc($guard) => $do,
            Of::Mutex($guard) => $do,
            Of::TokioMutex($guard) => $do,
            Of::Result($guard) => $do,
            Of::Map($guard) => $do,
            Of::Vec($guard) => $do,
            Of::Stack($guard) => $do,
            Of::Shared($guard) => $do,
            Of::SharedLive($guard) => $do,
        }
    };
}

/// The same for the forms whose value type does not contain the state; `$Form` is the form.
macro_rules! each_free_form {
    ($of:expr, $guard:ident, $Form:ident => $do:expr) => {
        match $of {
            Of::Value($guard) => {
                use Of::Value as $Form;
                $do
            }
            Of::Shared($guard) => {
                use Of::Shared as $Form;
                $do
            }
            Of::SharedLive($guard) => {
                use Of::SharedLive as $Form;
                $do
            }
            _ => panic!("the model has it in another form"),
        }
    };
}

/// A state of guards, with the operations of the statements.
pub trait Kind:
    Cleanable<Value, Slot<Value>: Send + Sync>
    + UnscopedState
    + Accepts<Value>
    + Cleanable<AsyncDropArc<Value, Self>>
    + Cleanable<AsyncDropMutex<Value, Self>>
    + Cleanable<Outcome<Self>>
    + CleanableForTokio
    + Sized
    + 'static
{
    #[track_caller]
    fn guard<T: Adoptable>(reaper: &ReaperHandle, value: T) -> AsyncDropGuard<T, Self>;

    #[track_caller]
    fn empty(reaper: &ReaperHandle, container: Empty) -> Of<Self>;

    #[track_caller]
    fn pop_all(stack: &mut AsyncDropStack<Self>) -> Of<Self>;

    /// Drops the value without its guard.
    fn release(of: Of<Self>);

    /// Converts to the other state. `None` for the proof of a guard that was cleaned up.
    fn convert(of: Of<Self>, to: State, reaper: &ReaperHandle) -> Option<AnyGuard>;

    /// Adopts the guard, unless the reaper is closed. Returns whether it refused.
    fn try_adopt(of: Of<Self>, reaper: &ReaperHandle) -> (AnyGuard, bool);

    /// Polls the cleanup. A guard that can be cleaned up again stays in `hand`.
    fn clean(world: &World, hand: &mut Option<Of<Self>>, polls: Polls);

    /// Ends the guard by another ending than its cleanup.
    fn via(
        world: &Arc<World>,
        id: Id,
        of: Of<Self>,
        spec: Spec,
        polls: Polls,
    ) -> Option<Result<(), Failures>>;

    /// Boxes the guard, so that a value can hold it.
    fn hold(of: Of<Self>) -> Box<dyn Obligation>;

    fn any(of: Of<Self>) -> AnyGuard;
    fn of(any: AnyGuard) -> Of<Self>;
    fn of_mut(any: &mut AnyGuard) -> &mut Of<Self>;
}

/// The bounds of the tokio mutex.
pub trait CleanableForTokio:
    Cleanable<Value> + Cleanable<AsyncDropTokioMutex<Value, Self>> + Sized
{
}
impl<S: Cleanable<Value> + Cleanable<AsyncDropTokioMutex<Value, S>>> CleanableForTokio for S {}

pub enum AnyGuard {
    Checked(Of<Checked>),
    Live(Of<Live>),
    Adopted(Of<Adopted>),
}

impl AnyGuard {
    pub fn is_live_value(&self) -> bool {
        matches!(self, Self::Live(Of::Value(_)))
    }

    fn is_container(&self) -> bool {
        fn is_container<S: Kind>(of: &Of<S>) -> bool {
            matches!(of, Of::Map(_) | Of::Vec(_) | Of::Stack(_))
        }
        match self {
            Self::Checked(of) => is_container(of),
            Self::Live(of) => is_container(of),
            Self::Adopted(of) => is_container(of),
        }
    }
}

/// Owns a guard. If an unwinding drops it, and it is a container, foreign code in it panics nevertheless.
pub struct Owner(pub Option<AnyGuard>);

impl Drop for Owner {
    fn drop(&mut self) {
        let guard = self.0.take();
        if std::thread::panicking() && guard.as_ref().is_some_and(AnyGuard::is_container) {
            drop_container(guard);
        }
    }
}

/// The methods that differ only in the name of the state.
macro_rules! same_in_each_state {
    ($state:ident, $new:ident($($reaper:ident)?)) => {
        fn empty(_reaper: &ReaperHandle, container: Empty) -> Of<Self> {
            $(let $reaper = _reaper;)?
            match container {
                Empty::Map => Of::Map(AsyncDropHashMap::$new($($reaper)?)),
                Empty::Vec(limit) => {
                    let mut row = Row::<$state>::$new($($reaper)?);
                    if limit > 0 {
                        row.set_concurrency(limit.into());
                    }
                    Of::Vec(row)
                }
                Empty::Stack => Of::Stack(AsyncDropStack::$new($($reaper)?)),
            }
        }

        fn release(of: Of<Self>) {
            each_form!(of, guard => drop(AsyncDropGuard::into_inner_without_cleanup(guard)));
        }

        fn via(
            world: &Arc<World>,
            id: Id,
            of: Of<Self>,
            spec: Spec,
            polls: Polls,
        ) -> Option<Result<(), Failures>> {
            each_form!(of, guard => {
                let ended = poll(world, guard.async_drop_via(ending(world, id, spec)), polls);
                ended.map(|(_proof, result)| result)
            })
        }

        fn hold(of: Of<Self>) -> Box<dyn Obligation> {
            each_form!(of, guard => Box::new(Some(guard)))
        }

        fn any(of: Of<Self>) -> AnyGuard {
            AnyGuard::$state(of)
        }

        fn of(any: AnyGuard) -> Of<Self> {
            match any {
                AnyGuard::$state(of) => of,
                _ => panic!("the model has it in another state"),
            }
        }

        fn of_mut(any: &mut AnyGuard) -> &mut Of<Self> {
            match any {
                AnyGuard::$state(of) => of,
                _ => panic!("the model has it in another state"),
            }
        }
    };
}

impl Kind for Checked {
    same_in_each_state!(Checked, new());

    fn guard<T: Adoptable>(_: &ReaperHandle, value: T) -> AsyncDropGuard<T> {
        AsyncDropGuard::new(value)
    }

    fn pop_all(stack: &mut AsyncDropStack) -> Of<Self> {
        Of::Stack(stack.pop_all())
    }

    fn convert(of: Of<Self>, to: State, reaper: &ReaperHandle) -> Option<AnyGuard> {
        each_free_form!(of, guard, Form => if to == State::Adopted {
            Some(AnyGuard::Adopted(Form(reaper.adopt(guard))))
        } else {
            AsyncDropGuard::into_live(guard).ok().map(|guard| AnyGuard::Live(Form(guard)))
        })
    }

    fn try_adopt(of: Of<Self>, reaper: &ReaperHandle) -> (AnyGuard, bool) {
        each_free_form!(of, guard, Form => match reaper.try_adopt(guard) {
            Ok(guard) => (AnyGuard::Adopted(Form(guard)), false),
            Err(guard) => (Self::any(Form(guard)), true),
        })
    }

    fn clean(world: &World, hand: &mut Option<Of<Self>>, polls: Polls) {
        let of = hand.as_mut().expect("the guard is in `hand`");
        each_form!(of, guard => note(world, poll(world, guard.async_drop(), polls)));
    }
}

impl Kind for Live {
    same_in_each_state!(Live, live());

    fn guard<T: Adoptable>(_: &ReaperHandle, value: T) -> AsyncDropGuard<T, Live> {
        AsyncDropGuard::live(value)
    }

    fn pop_all(stack: &mut AsyncDropStack<Live>) -> Of<Self> {
        Of::Stack(stack.pop_all())
    }

    fn convert(of: Of<Self>, to: State, reaper: &ReaperHandle) -> Option<AnyGuard> {
        Some(each_free_form!(of, guard, Form => if to == State::Adopted {
            AnyGuard::Adopted(Form(reaper.adopt(guard)))
        } else {
            AnyGuard::Checked(Form(AsyncDropGuard::into_checked(guard)))
        }))
    }

    fn try_adopt(of: Of<Self>, reaper: &ReaperHandle) -> (AnyGuard, bool) {
        each_free_form!(of, guard, Form => match reaper.try_adopt(guard) {
            Ok(guard) => (AnyGuard::Adopted(Form(guard)), false),
            Err(guard) => (Self::any(Form(guard)), true),
        })
    }

    fn clean(world: &World, hand: &mut Option<Of<Self>>, polls: Polls) {
        let of = hand.take().expect("the guard is in `hand`");
        each_form!(of, guard => {
            let outcome = poll(world, guard.async_drop(), polls);
            note(world, outcome.map(|outcome| outcome.result));
        });
    }
}

impl Kind for Adopted {
    same_in_each_state!(Adopted, adopted(reaper));

    fn guard<T: Adoptable>(reaper: &ReaperHandle, value: T) -> AsyncDropGuard<T, Adopted> {
        reaper.adopt(AsyncDropGuard::new(value))
    }

    fn pop_all(_: &mut AsyncDropStack<Adopted>) -> Of<Self> {
        unreachable!("`pop_all` of an adopted stack needs a reaper")
    }

    fn convert(_: Of<Self>, _: State, _: &ReaperHandle) -> Option<AnyGuard> {
        unreachable!("an adopted guard cannot be converted")
    }

    fn try_adopt(_: Of<Self>, _: &ReaperHandle) -> (AnyGuard, bool) {
        unreachable!("an adopted guard is not adopted again")
    }

    fn clean(world: &World, hand: &mut Option<Of<Self>>, polls: Polls) {
        let of = hand.as_mut().expect("the guard is in `hand`");
        each_form!(of, guard => note(world, poll(world, guard.async_drop(), polls)));
    }
}

/// Polls the future `polls` times, and drops it.
pub fn poll<F: Future>(world: &World, future: F, polls: Polls) -> Option<F::Output> {
    let mut future = Box::pin(future);
    for _ in 0..polls.map_or(1_000, usize::from) {
        if let Poll::Ready(output) = world.poll(future.as_mut()) {
            return Some(output);
        }
    }
    assert!(polls.is_some(), "the cleanup never ends");
    None
}

pub fn note<E: Debug>(world: &World, result: Option<Result<(), E>>) {
    if let Some(Err(error)) = result {
        world.push_message(&text(&error));
        drop_caught(error);
    }
}
