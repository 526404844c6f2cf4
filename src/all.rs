//! `async_drop_all`: cleans up several guards of different types concurrently.

use std::fmt::Debug;
use std::pin::pin;
use std::task::Poll;

use futures::FutureExt;
use futures::future::FusedFuture;

use crate::errors::ErrorCollector;
use crate::guard::{self, Slot};
use crate::panic::catch;
use crate::reaper::Adoptable;
use crate::state::{Backs, Brand, FromCleanupError, State};
use crate::{Adopted, AsyncDrop, AsyncDropGuard, Checked, CleanupErrors, Dropped, Live};

/// Cleans up several guards of different types concurrently.
///
/// It takes a tuple of up to twelve guards, or of `Option`s of guards. All guards must be in the
/// same state and have the same error type. All are cleaned up, even if some cleanups fail or
/// panic.
///
/// The output depends on the state. For [`Checked`] and [`Adopted`] guards it is a
/// `Result<(), CleanupErrors<E>>`. For [`Live`] guards it is an [`AllOutcome`], with a tuple of
/// their proofs. The guards of a [`scope!`](crate::scope!) are `Live`, each with its own brand and
/// with or without a reaper; their proofs keep the brands.
///
/// # Errors
///
/// All errors of the cleanups, in the order in which they were found.
///
/// # Panics
///
/// If a cleanup panics, the first panic is resumed after all other cleanups have ended. The errors
/// and the other panics then go to the [hook](crate::hook).
///
/// # Cancel safety
///
/// Not cancel safe for `Checked` and `Live` guards without a reaper: the guards that are not cleaned up
/// are dropped with the future, and reported. If this future can be cancelled, keep the guards in an
/// [`AsyncDropVec`](crate::collections::AsyncDropVec), or adopt them: the reaper then cleans up the
/// adopted guards. In any state, the errors found so far go to the [hook](crate::hook).
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
#[must_use = "futures do nothing unless awaited: dropping this skips the cleanup of the values"]
pub fn async_drop_all<G: Guards>(guards: G) -> impl Future<Output = G::Outcome> {
    guards.clean()
}

/// The outcome of the cleanup of several [`Live`] guards: their proofs and the result.
///
/// A proof says that a cleanup was attempted, so there is one for each guard even if the result is
/// an error.
#[must_use = "dropping this loses the errors of the cleanups: use `.result` or `.into_result()`"]
#[derive(Debug)]
pub struct AllOutcome<P, E> {
    /// The proofs, in a tuple in the order of the guards. The proof of `None` is `None`.
    pub proofs: P,
    /// The errors of the cleanups, if any failed.
    pub result: Result<(), CleanupErrors<E>>,
}

impl<P, E> AllOutcome<P, E> {
    /// Returns the proofs and the result of `body`, or the errors of the cleanups: the pair that the body
    /// of a [`scope!`](crate::scope!) with several guards returns.
    ///
    /// # Errors
    ///
    /// The error of `body`, or else the errors of the cleanups. If there are both, the errors of the cleanups
    /// go to the [hook](crate::hook) as [`Suppressed`](crate::hook::Unhandled::Suppressed).
    ///
    /// # Examples
    ///
    /// ```
    /// use livedrop::{AsyncDropGuard, async_drop_all, scope, try_or_drop};
    /// # use std::io;
    /// # struct File;
    /// # impl File {
    /// #     async fn read(&mut self) -> io::Result<u32> { Ok(1) }
    /// #     async fn write(&mut self, _: u32) -> io::Result<()> { Ok(()) }
    /// # }
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for File {
    /// #     type Error = io::Error;
    /// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
    /// # }
    ///
    /// async fn copy() -> io::Result<u32> {
    ///     let files = (AsyncDropGuard::live(File), AsyncDropGuard::live(File));
    ///     scope!((files.0, files.1), async |mut from, mut to| {
    ///         let value = try_or_drop!((from, to), from.read().await);
    ///         let written = to.write(value).await;
    ///         async_drop_all((from, to)).await.after(written.map(|()| value))
    ///     })
    ///     .await
    /// }
    /// # assert_eq!(futures::executor::block_on(copy()).unwrap(), 1);
    /// ```
    pub fn after<R, B>(self, body: Result<R, B>) -> (P, Result<R, B>)
    where
        P: Proofs,
        E: Debug,
        B: FromCleanupError<CleanupErrors<E>>,
    {
        let result = match (body, self.result) {
            (body, Ok(())) => body,
            (Ok(output), Err(errors)) => {
                // The output may panic in its `Drop`, as a forgotten guard does. Then the hook gets the
                // errors.
                let mut collected = ErrorCollector::<P::Values, E>::from_errors(errors);
                drop(output);
                Err(B::from_cleanup_error(collected.finish().expect_err("it holds errors")))
            }
            (Err(first), Err(errors)) => {
                drop(ErrorCollector::<P::Values, E>::from_errors(errors));
                Err(first)
            }
        };
        (self.proofs, result)
    }

    /// Returns the proofs if all cleanups succeeded.
    ///
    /// # Errors
    ///
    /// The errors of the cleanups. The proofs are dropped.
    pub fn into_result(self) -> Result<P, CleanupErrors<E>> {
        self.result.map(|()| self.proofs)
    }
}

/// The proofs in an [`AllOutcome`].
#[doc(hidden)]
pub trait Proofs {
    /// The values that were cleaned up. Reports name them.
    type Values;
}

impl<T, B: Brand> Proofs for AsyncDropGuard<T, Dropped<B>> {
    type Values = T;
}

impl<P: Proofs> Proofs for Option<P> {
    type Values = P::Values;
}

mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

/// A tuple of guards for [`async_drop_all`]: up to twelve guards, or `Option`s of guards, in one
/// state and with one error type.
#[diagnostic::on_unimplemented(
    message = "`async_drop_all` takes a tuple of guards, not `{Self}`",
    label = "not a tuple of up to 12 guards, or of `Option`s of guards",
    note = "write `async_drop_all((a, b))`; a `Vec` of guards is cleaned up by `AsyncDropGuard::new(guards).async_drop()`"
)]
pub trait Guards: Sealed {
    /// The output of `async_drop_all`.
    #[doc(hidden)]
    type Outcome;

    /// Cleans up all guards concurrently.
    #[doc(hidden)]
    fn clean(self) -> impl Future<Output = Self::Outcome>;
}

/// A guard in the state `S` with the error `E`, or an `Option` of such a guard.
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
    /// The proof that a `Live` guard was cleaned up; `()` for the other states.
    #[doc(hidden)]
    type Proof;

    /// Cleans up the guard.
    #[doc(hidden)]
    fn clean(self) -> impl Future<Output = (Self::Proof, Result<(), E>)>;
}

/// The first guard of a tuple. Its state and its error are those of all guards.
#[diagnostic::on_unimplemented(
    message = "expected a `Checked`, `Live` or `Adopted` guard, found `{Self}`",
    label = "`async_drop_all` takes guards, or `Option`s of guards",
    note = "wrap a value where it is made: `AsyncDropGuard::new(value)`"
)]
#[doc(hidden)]
pub trait First: Member<Self::State, Self::Error> {
    type State: AllState;
    type Error: Debug;
}

/// A state that determines the output of `async_drop_all`.
#[doc(hidden)]
pub trait AllState: State {
    type Outcome<P, E>;

    fn outcome<P, E>(proofs: P, result: Result<(), CleanupErrors<E>>) -> Self::Outcome<P, E>;
}

impl AllState for Checked {
    type Outcome<P, E> = Result<(), CleanupErrors<E>>;

    fn outcome<P, E>(_: P, result: Result<(), CleanupErrors<E>>) -> Self::Outcome<P, E> {
        result
    }
}

impl AllState for Adopted {
    type Outcome<P, E> = Result<(), CleanupErrors<E>>;

    fn outcome<P, E>(_: P, result: Result<(), CleanupErrors<E>>) -> Self::Outcome<P, E> {
        result
    }
}

impl AllState for Live {
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
    type Proof = ();

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
    type Proof = ();

    async fn clean(mut self) -> ((), Result<(), T::Error>) {
        ((), self.async_drop().await)
    }
}

impl<T: AsyncDrop, B: Brand, K: Backs<T>> Sealed for AsyncDropGuard<T, Live<B, K>> {}

impl<T: AsyncDrop, B: Brand, K: Backs<T>> First for AsyncDropGuard<T, Live<B, K>> {
    type State = Live;
    type Error = T::Error;
}

impl<T: AsyncDrop, B: Brand, K: Backs<T>> Member<Live, T::Error> for AsyncDropGuard<T, Live<B, K>> {
    type Value = T;
    type Proof = AsyncDropGuard<T, Dropped<B>>;

    async fn clean(self) -> (Self::Proof, Result<(), T::Error>) {
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
    type Proof = Option<M::Proof>;

    async fn clean(self) -> (Self::Proof, Result<(), E>) {
        match self {
            Some(guard) => {
                let (proof, result) = guard.clean().await;
                (Some(proof), result)
            }
            None => (None, Ok(())),
        }
    }
}

/// Cleans up `member`, and stores its proof in `proof`.
async fn clean<S, E, M: Member<S, E>>(member: M, proof: &mut Option<M::Proof>) -> Result<(), E> {
    let (made, result) = member.clean().await;
    *proof = Some(made);
    result
}

const PROVEN: &str = "`finish` resumes a panic, so each cleanup has stored its proof";

macro_rules! tuples {
    () => {};
    ($First:ident $first:ident $first_proof:ident, $($Other:ident $other:ident $proof:ident,)*) => {
        impl<$First, $($Other),*> Sealed for ($First, $($Other),*) {}

        impl<$First: Proofs, $($Other: Proofs),*> Proofs for ($First, $($Other),*) {
            type Values = ($First::Values, $($Other::Values),*);
        }

        impl<$First, $($Other),*> Guards for ($First, $($Other),*)
        where
            $First: First,
            $($Other: Member<$First::State, $First::Error>),*
        {
            type Outcome = <$First::State as AllState>::Outcome<
                ($First::Proof, $($Other::Proof),*),
                $First::Error,
            >;

            async fn clean(self) -> Self::Outcome {
                let ($first, $($other),*) = self;
                let mut errors = ErrorCollector::<($First::Value, $($Other::Value),*), _>::new();
                let (mut $first_proof, $(mut $proof),*) = Default::default();
                {
                    let cleanup = clean($first, &mut $first_proof);
                    let mut $first = pin!(catch(cleanup).fuse());
                    $(
                        let cleanup = clean($other, &mut $proof);
                        let mut $other = pin!(catch(cleanup).fuse());
                    )*
                    std::future::poll_fn(|cx| {
                        if let Poll::Ready(result) = $first.as_mut().poll(cx) {
                            errors.add(result);
                        }
                        $(if let Poll::Ready(result) = $other.as_mut().poll(cx) {
                            errors.add(result);
                        })*
                        let is_over = $first.is_terminated() $(&& $other.is_terminated())*;
                        if is_over { Poll::Ready(()) } else { Poll::Pending }
                    })
                    .await;
                }
                let result = errors.finish();
                let proofs = ($first_proof.expect(PROVEN), $($proof.expect(PROVEN)),*);
                $First::State::outcome(proofs, result)
            }
        }

        tuples!($($Other $other $proof,)*);
    };
}

tuples! {
    A a pa, B b pb, C c pc, D d pd, E e pe, F f pf, G g pg, H h ph, I i pi, J j pj, K k pk, L l pl,
}
