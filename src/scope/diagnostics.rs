//! Error messages of `scope!`: bounds with our words between the body and the function.
//!
//! Each bound asks for one thing more, so that the compiler names the one that is missing: a proof
//! beside the result, not the guard itself, of this scope's guard, for this value. The proof goes through
//! all of them and comes out as what it is. So implementing one of them for another type gains
//! nothing: the implementation would need a proof to return.

use std::fmt;
use std::marker::PhantomData;

use futures::FutureExt;

use super::{Proof, ScopedGuard};
use crate::state::{Brand, EntersScope, Scoped, State};
use crate::{AsyncDropGuard, Dropped};

/// Names the scope and the type of its value without holding either. Invariant in `'scope`, as the brand is.
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
        R: ScopeOutput,
        R::State: IsProof<Brand: SameScope<'scope>>,
        R::Value: SameValue<T>,
    {
        let (guard, output) = end.split();
        let proof = SameScope::of_this(IsProof::proof(guard));
        (SameValue::itself(proof), output)
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
pub trait ScopeOutput {
    type Value;
    type State: State;
    type Output;

    fn split(self) -> (AsyncDropGuard<Self::Value, Self::State>, Self::Output);
}

impl<T, S: State, R> ScopeOutput for (AsyncDropGuard<T, S>, R) {
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
pub trait IsProof: State + Sized {
    type Brand: Brand;

    fn proof<T>(guard: AsyncDropGuard<T, Self>) -> AsyncDropGuard<T, Dropped<Self::Brand>>;
}

impl<B: Brand> IsProof for Dropped<B> {
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
pub trait SameScope<'scope>: Brand + Sized {
    fn of_this<T>(proof: AsyncDropGuard<T, Dropped<Self>>) -> Proof<'scope, T>;
}

impl<'scope> SameScope<'scope> for Scoped<'scope> {
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
pub trait SameValue<T>: Sized {
    fn itself(proof: Proof<'_, Self>) -> Proof<'_, T>;
}

impl<T> SameValue<T> for T {
    fn itself(proof: Proof<'_, T>) -> Proof<'_, T> {
        proof
    }
}

/// What a `?` in the body of a scope would return in place of a proof. There is no such value.
#[doc(hidden)]
#[derive(Debug)]
pub enum NoTryError {}

/// No error is one: the bound of a conversion that exists only to be refused in plain words.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `?` in the body of a scope would leave it before the cleanup",
    label = "this `?` would skip the cleanup: keep the `Result`, and end the body with `guard.async_drop().await.after(result)`, which returns it"
)]
pub trait TryBeforeCleanup {
    /// There is nothing to return: all that this could do is to panic, as a body may.
    fn skip(self) -> NoTryError;
}

impl<E: TryBeforeCleanup> From<E> for NoTryError {
    fn from(error: E) -> Self {
        error.skip()
    }
}

/// Whether the body of a scope has a `?` and no `return` in it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Exits<const BY_TRY: bool>;

/// What the body returns where it ends with this `End`.
///
/// With a `?` in it, that is a `Result` with an error that nothing converts to: so the compiler
/// refuses a `?` of the body's own by that error's name, and not by that of `End`. One in a block
/// or a closure inside of the body has nothing to do with it.
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

/// Whether one of these is true.
#[doc(hidden)]
#[must_use]
pub const fn any(mut these: &[bool]) -> bool {
    while let [first, others @ ..] = these {
        if *first {
            return true;
        }
        these = others;
    }
    false
}

/// [`scope`](crate::scope()), for the macro. What it knows of the guard goes into the body beside the
/// guard: made of a borrow in there, it would cost the body's future a second place for the value.
#[doc(hidden)]
#[must_use = "futures do nothing unless awaited: the value would be dropped without its cleanup"]
#[inline]
pub fn enter<T, S, R, E, F>(
    exits: E,
    guard: AsyncDropGuard<T, S>,
    body: F,
) -> impl Future<Output = R>
where
    S: EntersScope<T>,
    E: ScopeExit,
    F: for<'scope> AsyncFnOnce(
        ScopedGuard<'scope, T>,
        (E, Entered<'scope, T>),
    ) -> E::Exit<(Proof<'scope, T>, R)>,
{
    let guard = AsyncDropGuard { slot: guard.slot };
    body(guard, (exits, Entered::new())).map(|exit| E::end(exit).1)
}
