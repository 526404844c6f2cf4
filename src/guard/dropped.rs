//! `Dropped`: the proof that a `Live` guard was cleaned up. It comes from there only.

use std::fmt;

use super::AsyncDropGuard;
use crate::state::Brand;
use crate::{Dropped, type_name};

mod sealed {
    pub trait Sealed<T> {}
}

/// A proof that a guard of a `T` was cleaned up: [`AsyncDropGuard<T, Dropped>`](Dropped), of
/// whatever scope or none.
///
/// What a function takes that may only be called after a cleanup.
///
/// # Examples
///
/// ```
/// use livedrop::{AsyncDropGuard, ProofOf};
/// # struct File;
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for File {
/// #     type Error = std::io::Error;
/// #     async fn async_drop_impl(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
///
/// async fn remove_directory(_file_is_closed: impl ProofOf<File>) {
///     // …
/// }
/// # futures::executor::block_on(async {
/// let file = AsyncDropGuard::live(File);
/// remove_directory(file.async_drop().await.proof).await;
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not prove that a `{T}` was cleaned up",
    label = "must be the proof: `guard.async_drop().await.proof`",
    note = "clean the `Live` guard of the `{T}` up first; its `async_drop` gives the proof, beside the result: `let outcome = guard.async_drop().await;`, then pass `outcome.proof`"
)]
pub trait ProofOf<T>: sealed::Sealed<T> {}

impl<T, B: Brand> sealed::Sealed<T> for AsyncDropGuard<T, Dropped<B>> {}

impl<T, B: Brand> ProofOf<T> for AsyncDropGuard<T, Dropped<B>> {}

impl<T, B: Brand> fmt::Debug for AsyncDropGuard<T, Dropped<B>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}: cleaned up>", type_name::of::<T>())
    }
}
