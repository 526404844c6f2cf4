//! The error messages of `scope!`.
//!
//! There is one trait for each mistake, so that the compiler names the first one: no proof, the guard
//! itself, the proof of another guard, the proof of another type. Each method returns the proof that it was
//! given, so that an impl for another type cannot forge one.
//!
//! Two rules keep the messages short. `scope!` calls `ScopeOutput` and `Enters` as functions of these traits:
//! the compiler then prints no "required by a bound in …". And no signature names an associated type of a
//! bound that may fail: the compiler would print the message again for it.

use std::fmt;
use std::marker::PhantomData;

use futures::FutureExt;

use super::{Proof, ScopedGuard, enter_scope};
use crate::state::{Backing, Brand, EntersScope, Scoped, State};
use crate::{AsyncDropGuard, Dropped};

/// Names the scope and the type of its value without holding either. Invariant in `'scope`, as the brand is.
type Names<'scope, T> = PhantomData<(Scoped<'scope>, fn() -> T)>;

/// Names the scope that a guard has entered, for [`scope!`](crate::scope!).
#[doc(hidden)]
pub struct Entered<'scope, T>(Names<'scope, T>);

impl<T> Entered<'_, T> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> fmt::Debug for Entered<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish()
    }
}

/// What the body of a scope may end with: a guard and any value. The guard must be the proof.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this body does not end with the proof that its guard was cleaned up",
    label = "must be `(guard.async_drop().await.proof, value)`, found `{Self}`",
    note = "clean up at the end of the body: `(guard.async_drop().await.proof, value)`, or, if `value` is a `Result`, `guard.async_drop().await.after(value)`",
    note = "if the guard went into a function, that function must return its proof: `-> Proof<'_, Conn>`",
    note = "a body of type `!` never comes to its end: leave its `loop` with `break`; write `(proof, value)` in place of `return (proof, value);`"
)]
pub trait ScopeOutput<R>: Sized {
    type Value;
    type State: State;

    fn split(self) -> (AsyncDropGuard<Self::Value, Self::State>, R);

    /// Checks what the body ends with. The first argument says what `T` is.
    fn leave<'scope, T>(_: Entered<'scope, T>, end: Self) -> (Proof<'scope, T>, R)
    where
        Self::State: IsProof<Brand: SameScope<'scope>>,
        Self::Value: SameValue<T>,
    {
        let (guard, output) = end.split();
        (SameValue::itself(SameScope::of_this(IsProof::proof(guard))), output)
    }
}

#[diagnostic::do_not_recommend]
impl<V, S: State, R> ScopeOutput<R> for (AsyncDropGuard<V, S>, R) {
    type Value = V;
    type State = S;

    fn split(self) -> Self {
        self
    }
}

/// A guard in this state is a proof.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this body returns a guard that still owes its cleanup: it is `{Self}`, not `Dropped`",
    label = "must be the proof: `guard.async_drop().await.proof`",
    note = "clean up at the end of the body: `(guard.async_drop().await.proof, value)`, or, if `value` is a `Result`, `guard.async_drop().await.after(value)`"
)]
pub trait IsProof: State + Sized {
    fn proof<T>(guard: AsyncDropGuard<T, Self>) -> AsyncDropGuard<T, Dropped<Self::Brand>>;
}

#[diagnostic::do_not_recommend]
impl<B: Brand> IsProof for Dropped<B> {
    fn proof<T>(guard: AsyncDropGuard<T, Self>) -> AsyncDropGuard<T, Self> {
        guard
    }
}

/// The brand of the scope `'scope`: its proof is of the guard that entered this scope.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this proof belongs to another guard: the guard of this scope is not cleaned up",
    label = "must be the proof of the guard that the body was given",
    note = "call `async_drop` or `async_drop_via` on the parameter of the body, and return its proof",
    note = "to clean up two guards, enter the scope with both: `scope!((a, b), async |a, b| …)`, and return both proofs: `((a.async_drop().await.proof, b.async_drop().await.proof), value)`"
)]
pub trait SameScope<'scope>: Brand + Sized {
    fn of_this<T>(proof: AsyncDropGuard<T, Dropped<Self>>) -> Proof<'scope, T>;
}

#[diagnostic::do_not_recommend]
impl<'scope> SameScope<'scope> for Scoped<'scope> {
    fn of_this<T>(proof: Proof<'scope, T>) -> Proof<'scope, T> {
        proof
    }
}

/// The type of the guarded value.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the scope's guard holds a `{T}`, but this proof is of a `{Self}`: the `{T}` in it may not be cleaned up yet",
    label = "must be the proof of the guard of `{T}`",
    note = "wrap the guard before the scope, and enter the scope with the wrapper: `scope!(AsyncDropArc::new(guard), async |shared| …)`",
    note = "or take the guard out again at the end of the body, and clean that up: `AsyncDropArc::into_inner(shared)` returns it, if it is not shared any more"
)]
pub trait SameValue<T>: Sized {
    fn itself(proof: Proof<'_, Self>) -> Proof<'_, T>;
}

#[diagnostic::do_not_recommend]
impl<T> SameValue<T> for T {
    fn itself(proof: Proof<'_, T>) -> Proof<'_, T> {
        proof
    }
}

/// The error type of a `?` in the body of a scope. It has no values.
#[doc(hidden)]
#[derive(Debug)]
pub enum NoTryError {}

/// Never implemented. It exists for its error message: a `?` in the body of a scope.
///
/// The compiler's first line ends with "`Error: …::CleanupBeforeQuestionMark` is not satisfied".
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `?` in the body of a scope would leave it before the cleanup",
    label = "this `?` would skip the cleanup: write `try_or_drop!(guard, …)` instead of `…?`"
)]
pub trait CleanupBeforeQuestionMark {
    /// `NoTryError` has no values, so an impl could only panic or run forever.
    fn skip(self) -> NoTryError;
}

impl<E: CleanupBeforeQuestionMark> From<E> for NoTryError {
    fn from(error: E) -> Self {
        error.skip()
    }
}

/// Whether the body of a scope has a `?` and no `return` in it. `scope!` takes the answer from
/// [`leaves_by_try`](super::leaves_by_try).
#[doc(hidden)]
#[derive(Debug)]
pub struct Exits<const BY_TRY: bool>;

/// The return type of a body that ends with this `End`.
///
/// If the body has a `?`, it is a `Result` with the error [`NoTryError`]. No other error converts to that, so
/// the compiler rejects the `?`. A `?` in an inner block or closure is not affected.
#[doc(hidden)]
pub trait ScopeExit {
    type Exit<End>;

    fn leave<End>(self, end: End) -> Self::Exit<End>;
    fn end<End>(exit: Self::Exit<End>) -> End;
}

impl ScopeExit for Exits<false> {
    type Exit<End> = End;

    fn leave<End>(self, end: End) -> End {
        end
    }

    fn end<End>(end: End) -> End {
        end
    }
}

impl ScopeExit for Exits<true> {
    type Exit<End> = Result<End, NoTryError>;

    fn leave<End>(self, end: End) -> Result<End, NoTryError> {
        Ok(end)
    }

    fn end<End>(exit: Result<End, NoTryError>) -> End {
        match exit {
            Ok(end) => end,
            Err(never) => match never {},
        }
    }
}

/// What a body, or a function with a scoped guard, returns where [`try_or_drop!`](crate::try_or_drop!) ends
/// it with this `End`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`try_or_drop!` returns `(proof, Err(error))`, but this body or function returns `{Self}`",
    label = "cleans up and returns the error, with the proof beside it",
    note = "if this is in the body of a `scope!`, each `return` of that body must have the proof, too: `return guard.async_drop().await.after(result)`",
    note = "use it in the body of `scope!`, which takes the proof, and end that body with `guard.async_drop().await.after(result)`; outside a scope, `with_async_drop!` cleans up at each `?`"
)]
pub trait EarlyExit<End> {
    fn exit(end: End) -> Self;
}

#[diagnostic::do_not_recommend]
impl<End> EarlyExit<End> for End {
    #[inline]
    fn exit(end: End) -> End {
        end
    }
}

#[diagnostic::do_not_recommend]
impl<End> EarlyExit<End> for Result<End, NoTryError> {
    #[inline]
    fn exit(end: End) -> Self {
        Ok(end)
    }
}

/// A guard that is about to enter a scope.
#[doc(hidden)]
pub struct Entering<T, K: Backing>(K::Slot<T>);

impl<T, K: Backing> Entering<T, K> {
    #[inline]
    fn into_guard<'scope>(self) -> ScopedGuard<'scope, T, K> {
        AsyncDropGuard { slot: self.0 }
    }
}

impl<T, K: Backing> fmt::Debug for Entering<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entering").finish_non_exhaustive()
    }
}

/// [`EntersScope`], for the macro. Its message comes once: no signature names `Backing`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`scope` takes a `Live` or an `Adopted` guard, not a `{Self}` one",
    label = "this guard is `{Self}`: neither the compiler nor a reaper makes sure of its cleanup",
    note = "create it with `AsyncDropGuard::live(value)` or `live_with_cleanup(value, close)`, convert it with `AsyncDropGuard::into_live(guard)`, which returns a `Result`, or let a reaper adopt it: `reaper.adopt(guard)`"
)]
pub trait Enters<T, K: Backing>: State + Sized {
    fn enter(guard: AsyncDropGuard<T, Self>) -> Entering<T, K>;
}

#[diagnostic::do_not_recommend]
impl<T, S: EntersScope<T>> Enters<T, S::Backing> for S {
    #[track_caller]
    #[inline]
    fn enter(guard: AsyncDropGuard<T, Self>) -> Entering<T, S::Backing> {
        Entering(enter_scope(guard).slot)
    }
}

/// [`scope`](crate::scope()), for the macro. `Entered` is passed beside the guard: if it were made from a
/// borrow in the body, the body's future would store the value twice.
#[doc(hidden)]
#[must_use = "futures do nothing unless awaited: the value would be dropped without its cleanup"]
#[inline]
pub fn enter<T, K: Backing, R, E, F>(
    exits: E,
    guard: Entering<T, K>,
    body: F,
) -> impl Future<Output = R>
where
    E: ScopeExit,
    F: for<'scope> AsyncFnOnce(
        ScopedGuard<'scope, T, K>,
        (E, Entered<'scope, T>),
    ) -> E::Exit<(Proof<'scope, T>, R)>,
{
    body(guard.into_guard(), (exits, Entered::new())).map(|exit| E::end(exit).1)
}

/// The proof in one place of the tuple. The guard in that place holds a `T`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this body does not end with the proof that its guard of `{T}` was cleaned up: in that place, it has `{Self}`",
    label = "must be `((a.async_drop().await.proof, b.async_drop().await.proof), value)`, with a proof for each guard, in the order of the guards",
    note = "clean up all of them at the end of the body: `async_drop_all((a, b)).await.after(value)`, if `value` is a `Result`",
    note = "if the guard went into a function, that function must return its proof: `-> Proof<'_, Conn>`"
)]
pub trait ScopeProof<T> {
    type Value;
    type Brand: Brand;

    fn proof(self) -> AsyncDropGuard<Self::Value, Dropped<Self::Brand>>;
}

#[diagnostic::do_not_recommend]
impl<T, V, B: Brand> ScopeProof<T> for AsyncDropGuard<V, Dropped<B>> {
    type Value = V;
    type Brand = B;

    fn proof(self) -> Self {
        self
    }
}

/// The type of the guarded value in one place of the tuple.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this body must end with the proof of its guard of `{T}`, but in that place it has the proof of a `{Self}`",
    label = "must be a proof for each guard, in the order in which the guards entered the scope",
    note = "the proofs stand in the order of the guards, whatever the order of the cleanups: `let b = b.async_drop().await.proof; let a = a.async_drop().await.proof; ((a, b), value)`"
)]
pub trait ScopeValue<T>: Sized {
    fn itself(proof: Proof<'_, Self>) -> Proof<'_, T>;
}

#[diagnostic::do_not_recommend]
impl<T> ScopeValue<T> for T {
    fn itself(proof: Proof<'_, T>) -> Proof<'_, T> {
        proof
    }
}

/// Defines, for a scope with several guards, the bound of what its body ends with, the check of that, and
/// the function that enters it.
///
/// The bounds of the check are arguments, because the compiler quotes them.
macro_rules! several {
    (
        $Output:ident, $enter:ident, $label:literal,
        ($($scope:lifetime $T:ident $P:ident $K:ident $guard:ident $entered:ident),+),
        fn $leave:ident
        where $($bounds:tt)+
    ) => {
        /// What the body of a scope with several guards may end with: a tuple of their proofs, and any
        /// value.
        #[doc(hidden)]
        #[diagnostic::on_unimplemented(
            message = "this body does not end with a proof for each of its guards",
            label = $label,
            note = "clean up all of them at the end of the body: `async_drop_all((a, b)).await.after(value)`, if `value` is a `Result`"
        )]
        pub trait $Output {
            $(type $P;)+
            type Output;

            fn split(self) -> (($(Self::$P,)+), Self::Output);
        }

        #[diagnostic::do_not_recommend]
        impl<$($P,)+ R> $Output for (($($P,)+), R) {
            $(type $P = $P;)+
            type Output = R;

            fn split(self) -> Self {
                self
            }
        }

        /// Checks what the body of a scope with several guards ends with.
        #[doc(hidden)]
        pub fn $leave<$($scope,)+ $($T,)+ End, R>(
            _: ($(Entered<$scope, $T>,)+),
            end: End,
        ) -> (($(Proof<$scope, $T>,)+), R)
        where
            $($bounds)+
        {
            let (($($guard,)+), output) = end.split();
            (($(ScopeValue::itself(SameScope::of_this($guard.proof())),)+), output)
        }

        /// [`enter`] for several guards. Each has a brand of its own.
        #[doc(hidden)]
        #[must_use = "futures do nothing unless awaited: the values would be dropped without their cleanup"]
        #[inline]
        pub fn $enter<$($T,)+ $($K: Backing,)+ R, E, F>(
            exits: E,
            ($($guard,)+): ($(Entering<$T, $K>,)+),
            body: F,
        ) -> impl Future<Output = R>
        where
            E: ScopeExit,
            F: for<$($scope),+> AsyncFnOnce(
                $(ScopedGuard<$scope, $T, $K>,)+
                (E, ($(Entered<$scope, $T>,)+)),
            ) -> E::Exit<(($(Proof<$scope, $T>,)+), R)>,
        {
            $(let $guard = $guard.into_guard();)+
            let entered = ($({ let $entered = Entered::new(); $entered },)+);
            body($($guard,)+ (exits, entered)).map(|exit| E::end(exit).1)
        }
    };
}

several!(
    ScopeOutput2, enter2,
    "must be `((a.async_drop().await.proof, b.async_drop().await.proof), value)`, found `{Self}`",
    ('a A PA KA a entered_a, 'b B PB KB b entered_b),
    fn leave2
    where
        End: ScopeOutput2<Output = R>,
        End::PA: ScopeProof<A, Value: ScopeValue<A>, Brand: SameScope<'a>>,
        End::PB: ScopeProof<B, Value: ScopeValue<B>, Brand: SameScope<'b>>,
);
several!(
    ScopeOutput3, enter3,
    "must be `((a.async_drop().await.proof, b.async_drop().await.proof, c.async_drop().await.proof), value)`, found `{Self}`",
    ('a A PA KA a entered_a, 'b B PB KB b entered_b, 'c C PC KC c entered_c),
    fn leave3
    where
        End: ScopeOutput3<Output = R>,
        End::PA: ScopeProof<A, Value: ScopeValue<A>, Brand: SameScope<'a>>,
        End::PB: ScopeProof<B, Value: ScopeValue<B>, Brand: SameScope<'b>>,
        End::PC: ScopeProof<C, Value: ScopeValue<C>, Brand: SameScope<'c>>,
);
several!(
    ScopeOutput4, enter4,
    "must be a tuple of four proofs, each `guard.async_drop().await.proof`, and a value: `((a, b, c, d), value)`, found `{Self}`",
    ('a A PA KA a entered_a, 'b B PB KB b entered_b, 'c C PC KC c entered_c, 'd D PD KD d entered_d),
    fn leave4
    where
        End: ScopeOutput4<Output = R>,
        End::PA: ScopeProof<A, Value: ScopeValue<A>, Brand: SameScope<'a>>,
        End::PB: ScopeProof<B, Value: ScopeValue<B>, Brand: SameScope<'b>>,
        End::PC: ScopeProof<C, Value: ScopeValue<C>, Brand: SameScope<'c>>,
        End::PD: ScopeProof<D, Value: ScopeValue<D>, Brand: SameScope<'d>>,
);
