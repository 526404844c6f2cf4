//! The outcome of a `Live` guard's cleanup.

use std::fmt;

use crate::guard::CleanupResult;
use crate::state::{Brand, FromCleanupError, Unscoped};
use crate::{AsyncDrop, AsyncDropGuard, Dropped, type_name};

/// The outcome of a [`Live`](crate::Live) guard's cleanup: the proof that it was attempted, and its result.
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
    /// The result of the cleanup.
    pub result: Result<(), T::Error>,
}

impl<T: AsyncDrop, B: Brand> Outcome<T, B> {
    /// Returns the proof and the result of `body`, or the error of the cleanup: the pair that the body of
    /// a [`scope`](crate::scope()) returns.
    ///
    /// [`try_or_drop!`](crate::try_or_drop!) calls it for a body that ends early.
    ///
    /// # Errors
    ///
    /// The error of `body`, or else the error of the cleanup. If there are both, the error of the
    /// cleanup goes to the [hook](crate::hook) as [`Suppressed`](crate::hook::Unhandled::Suppressed).
    ///
    /// If only the cleanup fails, the value in `body` is dropped. If that drop panics, for example
    /// because it holds a guard, the cleanup's error goes to the hook.
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
    pub fn after<R, E: FromCleanupError<T::Error>>(
        self,
        body: Result<R, E>,
    ) -> (AsyncDropGuard<T, Dropped<B>>, Result<R, E>) {
        let result = CleanupResult::<T>::new(self.result);
        (self.proof, result.after(body))
    }

    /// Returns the proof if the cleanup succeeded.
    ///
    /// # Errors
    ///
    /// The error of the cleanup. The proof is dropped.
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

/// A proof that a guard of a `T` was cleaned up: [`AsyncDropGuard<T, Dropped>`](Dropped), of any scope or
/// of none.
///
/// It is the parameter type of a function that may be called only after a cleanup.
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
