//! Cleaning up several guards at once: `async_drop_all`.

use std::fmt::Debug;
use std::pin::pin;
use std::task::Poll;

use futures::FutureExt;
use futures::future::FusedFuture;

use crate::errors::ErrorCollector;
use crate::guard::{self, Slot};
use crate::panic::catch;
use crate::reaper::Adoptable;
use crate::state::{Brand, State};
use crate::{Adopted, AsyncDrop, AsyncDropGuard, Checked, CleanupErrors, Dropped, Live};

/// Cleans several guards up concurrently, whatever their types.
///
/// It takes a tuple of up to twelve guards, or of `Option`s of guards, which are all in the same
/// state and have the same error. All of them are cleaned up, even when some fail or panic.
///
/// What it returns depends on their state. For `Checked` and [`Adopted`](crate::Adopted) guards it
/// is a `Result<(), CleanupErrors<E>>`. For [`Live`](crate::Live) guards it is an [`AllOutcome`], with
/// the proof of each guard, in a tuple like that of the guards.
///
/// # Errors
///
/// All the errors of the cleanups, in the order in which they were found.
///
/// # Panics
///
/// Resumes the first panic of a cleanup when all the others have ended. Errors, and other
/// panics, go to the [hook](crate::hook) then.
///
/// # Cancel safety
///
/// Not cancel safe for `Checked` and `Live` guards: those that are not done yet are lost with the
/// future, and reported. Where that can happen, keep the guards in an
/// [`AsyncDropVec`](crate::collections::AsyncDropVec), or have them adopted: what adopted guards still owe, their
/// reaper does. In any state, the errors found so far go to the [hook](crate::hook).
///
/// # Examples
///
/// ```
/// use livedrop::{AsyncDropGuard, async_drop_all};
/// # use std::io;
/// # struct Database;
/// # struct Cache;
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Database {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Cache {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # futures::executor::block_on(async {
/// let database = AsyncDropGuard::new(Database);
/// let cache = Some(AsyncDropGuard::new(Cache));
/// async_drop_all((database, cache)).await?;
///
/// let database = AsyncDropGuard::live(Database);
/// let cache = AsyncDropGuard::live(Cache);
/// async_drop_all((database, cache)).await.result?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[must_use = "futures do nothing unless awaited: the values would be dropped without their cleanup"]
pub fn async_drop_all<G: Guards>(guards: G) -> impl Future<Output = G::Outcome> {
    guards.clean()
}

/// What came of the cleanup of several [`Live`](crate::Live) guards: the proof of each that it
/// was attempted, and the result beside them.
#[must_use = "the result of the cleanups is lost otherwise: use `.result` or `.into_result()`"]
#[derive(Debug)]
pub struct AllOutcome<P, E> {
    /// The proofs, in a tuple like that of the guards. For a `None` there is a `None`.
    pub proofs: P,
    /// What the cleanups returned.
    pub result: Result<(), CleanupErrors<E>>,
}

impl<P, E> AllOutcome<P, E> {
    /// The proofs if all cleanups succeeded.
    ///
    /// # Errors
    ///
    /// What the cleanups failed with. The proofs are dropped.
    pub fn into_result(self) -> Result<P, CleanupErrors<E>> {
        self.result.map(|()| self.proofs)
    }
}

mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

/// A tuple of guards, or of `Option`s of guards, that [`async_drop_all`](crate::async_drop_all)
/// cleans up: up to twelve of them, all in the same state and with the same error.
#[diagnostic::on_unimplemented(
    message = "`async_drop_all` takes a tuple of guards, not `{Self}`",
    label = "not a tuple of up to 12 guards, or of `Option`s of guards",
    note = "write `async_drop_all((a, b))`; a `Vec` of guards is cleaned up by `AsyncDropGuard::new(guards).async_drop()`"
)]
pub trait Guards: Sealed {
    /// What comes of it.
    #[doc(hidden)]
    type Outcome;

    /// Cleans them up.
    #[doc(hidden)]
    fn clean(self) -> impl Future<Output = Self::Outcome>;
}

/// A guard in the state `S` whose error is `E`, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "expected a `{S}` guard with the error `{E}`, like the first one, found `{Self}`",
    label = "`async_drop_all` takes guards in one state and with one error",
    note = "wrap a value where it is made: `AsyncDropGuard::new(value)` for `Checked`, `AsyncDropGuard::live(value)` for `Live`",
    note = "convert a guard: `AsyncDropGuard::into_checked(guard)`, `AsyncDropGuard::into_live(guard)`, `reaper.adopt(guard)`"
)]
pub trait Member<S, E>: Sealed {
    /// The guarded type.
    #[doc(hidden)]
    type Value;
    /// What is left of the guard.
    #[doc(hidden)]
    type Remains;

    /// Cleans it up.
    #[doc(hidden)]
    fn clean(self) -> impl Future<Output = (Self::Remains, Result<(), E>)>;
}

/// The first member, which decides for the others.
#[diagnostic::on_unimplemented(
    message = "expected a `Checked`, `Live` or `Adopted` guard, found `{Self}`",
    label = "`async_drop_all` takes guards, or `Option`s of guards",
    note = "wrap a value where it is made: `AsyncDropGuard::new(value)`"
)]
#[doc(hidden)]
pub trait First: Member<Self::State, Self::Error> {
    type State: Answers;
    type Error: Debug;
}

/// What the cleanup of several guards in this state returns.
#[doc(hidden)]
pub trait Answers: State {
    type Outcome<P, E>;

    fn outcome<P, E>(proofs: P, result: Result<(), CleanupErrors<E>>) -> Self::Outcome<P, E>;
}

impl Answers for Checked {
    type Outcome<P, E> = Result<(), CleanupErrors<E>>;

    fn outcome<P, E>(_: P, result: Result<(), CleanupErrors<E>>) -> Self::Outcome<P, E> {
        result
    }
}

impl Answers for Adopted {
    type Outcome<P, E> = Result<(), CleanupErrors<E>>;

    fn outcome<P, E>(_: P, result: Result<(), CleanupErrors<E>>) -> Self::Outcome<P, E> {
        result
    }
}

impl Answers for Live {
    type Outcome<P, E> = AllOutcome<P, E>;

    fn outcome<P, E>(proofs: P, result: Result<(), CleanupErrors<E>>) -> Self::Outcome<P, E> {
        AllOutcome { proofs, result }
    }
}

impl<T: AsyncDrop> Sealed for AsyncDropGuard<T, Checked> {}

impl<T: AsyncDrop> First for AsyncDropGuard<T, Checked> {
    type State = Checked;
    type Error = T::Error;
}

impl<T: AsyncDrop> Member<Checked, T::Error> for AsyncDropGuard<T, Checked> {
    type Value = T;
    type Remains = ();

    async fn clean(mut self) -> ((), Result<(), T::Error>) {
        ((), self.async_drop().await)
    }
}

impl<T: Adoptable> Sealed for AsyncDropGuard<T, Adopted> {}

impl<T: Adoptable> First for AsyncDropGuard<T, Adopted> {
    type State = Adopted;
    type Error = T::Error;
}

impl<T: Adoptable> Member<Adopted, T::Error> for AsyncDropGuard<T, Adopted> {
    type Value = T;
    type Remains = ();

    async fn clean(mut self) -> ((), Result<(), T::Error>) {
        ((), self.async_drop().await)
    }
}

impl<T: AsyncDrop, B: Brand> Sealed for AsyncDropGuard<T, Live<B>> {}

impl<T: AsyncDrop, B: Brand> First for AsyncDropGuard<T, Live<B>> {
    type State = Live;
    type Error = T::Error;
}

impl<T: AsyncDrop, B: Brand> Member<Live, T::Error> for AsyncDropGuard<T, Live<B>> {
    type Value = T;
    type Remains = AsyncDropGuard<T, Dropped<B>>;

    async fn clean(self) -> (Self::Remains, Result<(), T::Error>) {
        let result = guard::clean(&mut self.slot.into_owned()).await;
        (AsyncDropGuard { slot: () }, result)
    }
}

impl<M: Sealed> Sealed for Option<M> {}

impl<M: First> First for Option<M> {
    type State = M::State;
    type Error = M::Error;
}

impl<S, E, M: Member<S, E>> Member<S, E> for Option<M> {
    type Value = M::Value;
    type Remains = Option<M::Remains>;

    async fn clean(self) -> (Self::Remains, Result<(), E>) {
        match self {
            Some(guard) => {
                let (remains, result) = guard.clean().await;
                (Some(remains), result)
            }
            None => (None, Ok(())),
        }
    }
}

/// Cleans one of them up, and puts what is left of the guard into `remains`.
async fn clean<S, E, M: Member<S, E>>(
    member: M,
    remains: &mut Option<M::Remains>,
) -> Result<(), E> {
    let (left, result) = member.clean().await;
    *remains = Some(left);
    result
}

/// Why there is something left of every guard.
const ENDED: &str = "no cleanup panicked, so each has left something";

macro_rules! tuples {
    () => {};
    ($First:ident $first:ident $remains:ident, $($Other:ident $other:ident $remain:ident,)*) => {
        impl<$First, $($Other),*> Sealed for ($First, $($Other),*) {}

        impl<$First, $($Other),*> Guards for ($First, $($Other),*)
        where
            $First: First,
            $($Other: Member<$First::State, $First::Error>),*
        {
            type Outcome = <$First::State as Answers>::Outcome<
                ($First::Remains, $($Other::Remains),*),
                $First::Error,
            >;

            async fn clean(self) -> Self::Outcome {
                let ($first, $($other),*) = self;
                let mut errors = ErrorCollector::<($First::Value, $($Other::Value),*), _>::new();
                let (mut $remains, $(mut $remain),*) = Default::default();
                {
                    let cleanup = clean($first, &mut $remains);
                    let mut $first = pin!(catch(cleanup).fuse());
                    $(
                        let cleanup = clean($other, &mut $remain);
                        let mut $other = pin!(catch(cleanup).fuse());
                    )*
                    std::future::poll_fn(|cx| {
                        if let Poll::Ready(ending) = $first.as_mut().poll(cx) {
                            errors.add(ending);
                        }
                        $(if let Poll::Ready(ending) = $other.as_mut().poll(cx) {
                            errors.add(ending);
                        })*
                        let is_over = $first.is_terminated() $(&& $other.is_terminated())*;
                        if is_over { Poll::Ready(()) } else { Poll::Pending }
                    })
                    .await;
                }
                let result = errors.finish();
                let proofs = ($remains.expect(ENDED), $($remain.expect(ENDED)),*);
                $First::State::outcome(proofs, result)
            }
        }

        tuples!($($Other $other $remain,)*);
    };
}

tuples! {
    A a ra, B b rb, C c rc, D d rd, E e re, F f rf, G g rg, H h rh, I i ri, J j rj, K k rk, L l rl,
}
