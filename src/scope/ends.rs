//! How the body of `scope!` ends: a bound in our words between the body and the function.

use std::fmt;
use std::marker::PhantomData;

use crate::state::Scoped;
use crate::{Proof, ScopedGuard};

/// Names the scope and the type of its value, and holds neither: as variant as the brand.
type Names<'scope, T> = PhantomData<(Scoped<'scope>, fn() -> T)>;

/// What [`scope!`](crate::scope!) knows of the guard that it hands to the body.
#[doc(hidden)]
pub struct Entered<'scope, T>(Names<'scope, T>);

impl<'scope, T> Entered<'scope, T> {
    /// The scope of this guard.
    #[must_use = "the body is to be ended with it"]
    pub fn with(_: &ScopedGuard<'scope, T>) -> Self {
        Self(PhantomData)
    }

    /// The end of the body.
    pub fn leave<R: EndsItsScope<'scope, T>>(self, end: R) -> (Proof<'scope, T>, R::Output) {
        end.end()
    }
}

impl<T> fmt::Debug for Entered<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish()
    }
}

/// What the body of a scope may end with: the proof of its own guard, and any value.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this body leaves its scope without the proof that its guard was cleaned up",
    label = "must end with `guard.async_drop().await.after(result)`, or with `(guard.async_drop().await.proof, value)`",
    note = "the proof must be that of the guard which this scope was entered with; the body ends with `{Self}`"
)]
pub trait EndsItsScope<'scope, T> {
    type Output;

    fn end(self) -> (Proof<'scope, T>, Self::Output);
}

impl<'scope, T, R> EndsItsScope<'scope, T> for (Proof<'scope, T>, R) {
    type Output = R;

    fn end(self) -> (Proof<'scope, T>, R) {
        self
    }
}
