//! What the containers take: a bound instead of a type, so that the compiler says how to make
//! a guard of a plain value.

use crate::{AsyncDropGuard, State};

mod sealed {
    pub trait Sealed {}
}

/// A guard of a `T` in the state `S`: `AsyncDropGuard<T, S>`, and nothing else.
#[diagnostic::on_unimplemented(
    message = "expected a `{S}` guard of a `{T}`, found `{Self}`",
    label = "this container holds `{S}` guards of `{T}`",
    note = "wrap a value where it is made: `AsyncDropGuard::new(value)` for `Checked`, `AsyncDropGuard::live(value)` for `Live`",
    note = "convert a guard: `AsyncDropGuard::into_checked(guard)`, `AsyncDropGuard::into_live(guard)`; or, for `Adopted` guards, make the container by `adopted(&handle)`"
)]
pub trait GuardOf<T, S: State>: sealed::Sealed {
    #[doc(hidden)]
    fn into_guard(self) -> AsyncDropGuard<T, S>;
}

impl<T, S: State> sealed::Sealed for AsyncDropGuard<T, S> {}

impl<T, S: State> GuardOf<T, S> for AsyncDropGuard<T, S> {
    #[inline]
    fn into_guard(self) -> Self {
        self
    }
}
