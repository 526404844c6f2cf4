//! What the cleanup of a `Live` guard comes to.

use std::fmt;

use crate::guard::CleanupResult;
use crate::state::{Brand, Unscoped};
use crate::{AsyncDrop, AsyncDropGuard, Dropped, type_name};

/// What came of the cleanup of a [`Live`](crate::Live) guard: always a proof that it was attempted, and its
/// result beside it.
///
/// ```
/// # use livedrop::{AsyncDropGuard, Outcome};
/// # struct Job;
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Job {
/// #     type Error = std::io::Error;
/// #     async fn async_drop_impl(&mut self) -> Result<(), Self::Error> { Ok(()) }
/// # }
/// # async fn f() -> std::io::Result<()> {
/// # let (job, job2, job3) = (AsyncDropGuard::live(Job), AsyncDropGuard::live(Job), AsyncDropGuard::live(Job));
/// let Outcome { proof, result } = job.async_drop().await;  // both
/// job2.async_drop().await.result?;                         // the error only
/// let proof = job3.async_drop().await.into_result()?;      // the proof, if there was no error
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
#[must_use = "the result of the cleanup is lost otherwise: use `.result`, `.into_result()` or `.after(body)`"]
pub struct Outcome<T: AsyncDrop, B: Brand = Unscoped> {
    /// The proof that the guard was cleaned up.
    pub proof: AsyncDropGuard<T, Dropped<B>>,
    /// What the cleanup returned.
    pub result: Result<(), T::Error>,
}

impl<T: AsyncDrop, B: Brand> Outcome<T, B> {
    /// Puts what came before the cleanup first: the shape that the body of a
    /// [`scope`](crate::scope()) returns.
    ///
    /// # Errors
    ///
    /// The error of `body`, or else that of the cleanup. If there are both, that of the cleanup
    /// goes to the [hook](crate::hook) as
    /// [`Suppressed`](crate::hook::Unhandled::Suppressed). If only the cleanup failed, what `body`
    /// holds is dropped; where that panics, as a guard in it does, the error goes to the hook.
    ///
    /// # Examples
    ///
    /// ```
    /// # use livedrop::{AsyncDropGuard, scope};
    /// # use std::io;
    /// # struct Connection;
    /// # impl Connection { async fn query(&mut self, _: &str) -> io::Result<u32> { Ok(1) } }
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for Connection {
    /// #     type Error = io::Error;
    /// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
    /// # }
    /// # async fn f() -> io::Result<()> {
    /// let connection = AsyncDropGuard::live(Connection);
    /// let rows = scope!(connection, async |mut connection| {
    ///     let rows = connection.query("select 1").await;
    ///     connection.async_drop().await.after(rows)
    /// })
    /// .await?;
    /// # assert_eq!(rows, 1);
    /// # Ok(())
    /// # }
    /// # futures::executor::block_on(f()).unwrap();
    /// ```
    pub fn after<R, E: From<T::Error>>(
        self,
        body: Result<R, E>,
    ) -> (AsyncDropGuard<T, Dropped<B>>, Result<R, E>) {
        let result = CleanupResult::<T>::new(Ok(self.result));
        (self.proof, result.after_mapped(body, E::from))
    }

    /// The proof if the cleanup succeeded.
    ///
    /// # Errors
    ///
    /// What the cleanup failed with. The proof is dropped.
    pub fn into_result(self) -> Result<AsyncDropGuard<T, Dropped<B>>, T::Error> {
        self.result.map(|()| self.proof)
    }
}

impl<T: AsyncDrop, B: Brand> fmt::Debug for Outcome<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome").field("result", &self.result).finish_non_exhaustive()
    }
}

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
