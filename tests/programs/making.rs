//! Futures that make a value in its guard, for the library to acquire or to share.

use std::pin::Pin;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use livedrop::state::Armed;
use livedrop::sync::{AsyncDropArc, AsyncDropShared, TaskPanicked};
use livedrop::{Adopted, AsyncDropGuard, Checked, Live, ReaperHandle};

use crate::guards::{AnyGuard, Kind, Of, poll};
use crate::program::{Ending, Kind as State, Making, Spec};
use crate::sites::{Create, Creates, create_at};
use crate::statement::{Id, Polls};
use crate::value::{Failures, Value, World};

/// A value that is being acquired.
pub type Opening = Pin<Box<dyn Future<Output = Result<AsyncDropGuard<Value, Adopted>, Failures>>>>;

/// A shielded future.
pub type Shielded = Pin<Box<dyn Future<Output = Result<(), Failures>>>>;

/// A handle of a shared future.
pub type SharedOf<S> = AsyncDropShared<Value, BoxFuture<'static, AsyncDropGuard<Value, S>>, S>;

/// A state in which a guard is made.
pub trait Made: Kind + Armed {
    fn shared(handle: AsyncDropGuard<SharedOf<Self>, Self>) -> AnyGuard;
}

impl Made for Checked {
    fn shared(handle: AsyncDropGuard<SharedOf<Self>, Self>) -> AnyGuard {
        AnyGuard::Checked(Of::Shared(handle))
    }
}

impl Made for Live {
    fn shared(handle: AsyncDropGuard<SharedOf<Self>, Self>) -> AnyGuard {
        AnyGuard::Live(Of::SharedLive(handle))
    }
}

fn make<S: Made>(
    world: &Arc<World>,
    id: Id,
    making: Making,
    reaper: &ReaperHandle,
) -> BoxFuture<'static, Result<AsyncDropGuard<Value, S>, Failures>> {
    let (world, reaper) = (Arc::clone(world), reaper.clone());
    Box::pin(async move {
        world.wait(making.before).await;
        let guard = value(&world, id, making, &reaper);
        world.wait(making.after).await;
        match making.ending {
            Ending::Ok => Ok(guard),
            Ending::Fails => {
                // Dropped before the error is made: rustc leaks a returned value if a drop panics then.
                drop(guard);
                Err(Failures::of(id))
            }
            Ending::Panics => panic!("#{id} panicked"),
        }
    })
}

fn value<S: Made>(
    world: &Arc<World>,
    id: Id,
    making: Making,
    reaper: &ReaperHandle,
) -> AsyncDropGuard<Value, S> {
    let value = Create::<S>::Value(Value::new(world, id, making.spec, None));
    match create_at(id, value, reaper).map(S::of) {
        Some(Of::Value(guard)) => guard,
        _ => unreachable!("it is created of a value"),
    }
}

/// Begins to acquire a value.
pub struct Acquire<'a> {
    pub world: &'a Arc<World>,
    pub value: Id,
    pub making: Making,
}

impl Creates for Acquire<'_> {
    type Output = Opening;

    #[track_caller]
    fn here(self, reaper: &ReaperHandle) -> Opening {
        let Self { world, value, making } = self;
        if making.kind == State::Checked {
            Box::pin(reaper.acquire(make::<Checked>(world, value, making, reaper)))
        } else {
            Box::pin(reaper.acquire(make::<Live>(world, value, making, reaper)))
        }
    }
}

/// Shields a future.
pub struct Shield<'a> {
    pub world: &'a Arc<World>,
    pub id: Id,
    pub spec: Spec,
}

impl Creates for Shield<'_> {
    type Output = Shielded;

    #[track_caller]
    fn here(self, reaper: &ReaperHandle) -> Shielded {
        let Self { world, id, spec } = self;
        let world = Arc::clone(world);
        Box::pin(reaper.shield(async move {
            world.wait(spec.waits).await;
            match spec.ending {
                Ending::Ok => Ok(()),
                Ending::Fails => Err(Failures::of(id)),
                Ending::Panics => panic!("#{id} panicked"),
            }
        }))
    }
}

/// Shares the future of a value.
pub struct Share<'a> {
    pub world: &'a Arc<World>,
    pub value: Id,
    pub making: Making,
}

impl Share<'_> {
    fn future<S: Made>(
        self,
        reaper: &ReaperHandle,
    ) -> BoxFuture<'static, AsyncDropGuard<Value, S>> {
        make(self.world, self.value, self.making, reaper)
            .map(|made| made.expect("the model shares no future that fails"))
            .boxed()
    }
}

impl Creates for Share<'_> {
    type Output = AnyGuard;

    #[track_caller]
    fn here(self, reaper: &ReaperHandle) -> AnyGuard {
        if self.making.kind == State::Checked {
            Checked::shared(AsyncDropShared::new(self.future(reaper)))
        } else {
            Live::shared(AsyncDropShared::new(self.future(reaper)))
        }
    }
}

/// Shares a value that is already made.
pub struct Ready<S: Made>(pub AsyncDropGuard<Value, S>);

impl<S: Made> Creates for Ready<S> {
    type Output = AnyGuard;

    #[track_caller]
    fn here(self, _: &ReaperHandle) -> AnyGuard {
        S::shared(AsyncDropShared::new_ready(self.0))
    }
}

/// Clones a handle.
pub struct CloneShared<'a, S: Made>(pub &'a SharedOf<S>);

impl<S: Made> Creates for CloneShared<'_, S> {
    type Output = AnyGuard;

    #[track_caller]
    fn here(self, _: &ReaperHandle) -> AnyGuard {
        S::shared(AsyncDropShared::clone(self.0))
    }
}

/// Awaits a shared future.
pub struct Get<'a, S: Made>(pub &'a SharedOf<S>, pub &'a World, pub Polls);

impl<S: Made> Creates for Get<'_, S> {
    type Output = Option<Result<AnyGuard, TaskPanicked>>;

    #[track_caller]
    fn here(self, _: &ReaperHandle) -> Self::Output {
        let got: Option<Result<AsyncDropGuard<AsyncDropArc<_, _>, S>, _>> =
            poll(self.1, self.0.get(), self.2);
        got.map(|got| got.map(|handle| S::any(Of::Arc(handle))))
    }
}
