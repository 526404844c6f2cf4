//! Cleaning up several guards at once: `async_drop_all`.

use crate::CleanupErrors;

mod members;

pub use members::{Guards, Member};

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
/// [`AsyncDropVec`](crate::AsyncDropVec), or have them adopted: what adopted guards still owe, their
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
