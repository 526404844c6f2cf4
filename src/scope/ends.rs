//! How the body of `scope!` ends: bounds in our words between the body and the function.
//!
//! Each bound asks for one thing more, so that the compiler says what is missing: a proof beside
//! the result, not the guard itself, of this scope's guard, for the very value. The proof goes
//! through all of them and comes out as what it is: who implements one of them for a type of his
//! own would have to make a proof there, and cannot.

use std::fmt;
use std::marker::PhantomData;

use crate::state::{Brand, Scoped};
use crate::{AsyncDropGuard, Dropped, Proof, State};

/// Names the scope and the type of its value, and holds neither: as variant as the brand.
type Names<'scope, T> = PhantomData<(Scoped<'scope>, fn() -> T)>;

/// What [`scope!`](crate::scope!) knows of the guard that it hands to the body.
#[doc(hidden)]
pub struct Entered<'scope, T>(Names<'scope, T>);

impl<'scope, T> Entered<'scope, T> {
    /// Only who makes the scope may say that it was entered.
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }

    /// The end of the body.
    pub fn leave<R>(self, end: R) -> (Proof<'scope, T>, R::Output)
    where
        R: EndsItsScope,
        R::State: Proves<Brand: ProvesThisScope<'scope>>,
        R::Value: IsTheGuarded<T>,
    {
        let (guard, output) = end.split();
        let proof = ProvesThisScope::of_this(Proves::proof(guard));
        (IsTheGuarded::itself(proof), output)
    }
}

impl<T> fmt::Debug for Entered<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish()
    }
}

/// What the body of a scope may end with: a guard, which is to be the proof, and any value.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this body leaves its scope without the proof that its guard was cleaned up",
    label = "must be `(guard.async_drop().await.proof, value)`, found `{Self}`",
    note = "clean up at the end of the body: `(guard.async_drop().await.proof, value)`, or, if `value` is a `Result`, `guard.async_drop().await.after(value)`"
)]
pub trait EndsItsScope {
    type Value;
    type State: State;
    type Output;

    fn split(self) -> (AsyncDropGuard<Self::Value, Self::State>, Self::Output);
}

impl<T, S: State, R> EndsItsScope for (AsyncDropGuard<T, S>, R) {
    type Value = T;
    type State = S;
    type Output = R;

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
pub trait Proves: State + Sized {
    type Brand: Brand;

    fn proof<T>(guard: AsyncDropGuard<T, Self>) -> AsyncDropGuard<T, Dropped<Self::Brand>>;
}

impl<B: Brand> Proves for Dropped<B> {
    type Brand = B;

    fn proof<T>(guard: AsyncDropGuard<T, Self>) -> AsyncDropGuard<T, Self> {
        guard
    }
}

/// A proof with this brand is of the guard that the scope was entered with.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this proof is of another guard: the one that this scope was entered with was never cleaned up",
    label = "must be the proof of the scope's own guard, the one that the body was given",
    note = "call `async_drop` on the guard between the bars of the body, and return the proof of that",
    note = "to clean up two guards, open a scope for each: `scope!(a, async |a| {{ let value = scope!(b, async |b| (b.async_drop().await.proof, …)).await; (a.async_drop().await.proof, value) }})`"
)]
pub trait ProvesThisScope<'scope>: Brand + Sized {
    fn of_this<T>(proof: AsyncDropGuard<T, Dropped<Self>>) -> Proof<'scope, T>;
}

impl<'scope> ProvesThisScope<'scope> for Scoped<'scope> {
    fn of_this<T>(proof: Proof<'scope, T>) -> Proof<'scope, T> {
        proof
    }
}

/// This type is the one of the guarded value.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the scope's guard is of `{T}`, but this proof is of `{Self}`: the `{T}` in it may not be cleaned up yet",
    label = "must be the proof of the guard of `{T}`",
    note = "wrap the guard before the scope, and enter the scope with what wraps it: `scope!(AsyncDropArc::new(guard), async |shared| …)`",
    note = "or take the guard out again at the end of the body, and clean that up: `AsyncDropArc::into_inner(shared)` gives it back, if it is not shared any more"
)]
pub trait IsTheGuarded<T>: Sized {
    fn itself(proof: Proof<'_, Self>) -> Proof<'_, T>;
}

impl<T> IsTheGuarded<T> for T {
    fn itself(proof: Proof<'_, T>) -> Proof<'_, T> {
        proof
    }
}
