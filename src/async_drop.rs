//! `AsyncDrop`: the trait of values with an async cleanup.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::collections::clean_vec;
use crate::guard::clean_in_place;
use crate::reaper::Adoptable;
use crate::state::Cleanable;
use crate::{Adopted, AsyncDropGuard, Checked, CleanupErrors};

/// A value whose cleanup must be awaited.
///
/// Implement this trait with `#[async_trait]`, and return the value only inside an
/// [`AsyncDropGuard`]: the guard reports a cleanup that was forgotten, and does not repeat one that has
/// ended.
///
/// When the cleanup has ended, with `Ok` or with `Err`, the guard drops the value, so the value's
/// own [`Drop`] runs after the cleanup. A cleanup that panics counts as attempted: the guard is
/// disarmed, the value is dropped, and the panic continues.
///
/// The cleanup takes `&mut self`, not `self`: the value outlives the future of its cleanup. So if that
/// future is dropped before it is ready, a [`Checked`] guard still has the value.
///
/// # Where `Send` is required
///
/// The future of the cleanup must be [`Send`]: a reaper or a spawned task may poll it on any thread. This is part
/// of the contract of this trait, because code that calls it for an unknown type, or for a `dyn AsyncDrop`,
/// relies on it. A cleanup that holds an `Rc` across an `.await`, for example, is not supported, and
/// `#[async_trait(?Send)]` does not compile ("incompatible type for trait", E0053). A future that borrows the value
/// is `Send` only if the value is. So a type with an `async fn async_drop_impl` must be `Send`, and an implementation
/// that awaits the cleanup of a type parameter needs the bounds
/// `impl<T: AsyncDrop<Error: Send> + Send> AsyncDrop for Retry<T>`.
///
/// The value need not be `Send` where its owner cleans it up. So generic code with the bound `T: AsyncDrop` needs
/// no other bound for a guard, [`with_async_drop`](crate::with_async_drop()), [`bracket`](crate::bracket),
/// [`scope`](crate::scope()), [`flatten_async_drop`](crate::flatten_async_drop) or `SyncDrop`.
///
/// The value must be `Send`:
///
/// - in a helper with a cleanup of its own, such as a map, a lock, an `Option` or a `Box`, and in a field of a
///   derived type: the future of that cleanup borrows the value, and must be `Send`. If the helper collects
///   the errors of several values, [`Error`](AsyncDrop::Error) must be `Send`, too;
/// - in a [`Deferred`](crate::Deferred), whose closure takes the value;
/// - with a [`Reaper`](crate::Reaper). The value must also be `'static`, and its error `Send` and `'static`.
///
/// [`AsyncDropShared`](crate::sync::AsyncDropShared) and [`AsyncDropCache`](crate::collections::AsyncDropCache)
/// also require [`Sync`]: their futures own an `Arc` of the value. An [`AsyncDropArc`](crate::sync::AsyncDropArc)
/// of a value that is not `Sync` cannot leave its thread.
///
/// # Cancel safety
///
/// This is a contract for implementors. A caller may drop the future of
/// [`async_drop_impl`](AsyncDrop::async_drop_impl) before it is ready, and call the method again.
/// Implement it so that the second call completes the work that the first call left: remove each
/// part from `self` when it is cleaned up.
///
/// # Examples
///
/// ```
/// use async_trait::async_trait;
/// use livedrop::{AsyncDrop, AsyncDropGuard};
///
/// struct Connection {
///     open: bool,
/// }
///
/// #[async_trait]
/// impl AsyncDrop for Connection {
///     type Error = std::io::Error;
///
///     async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
///         // send a close message to the peer, and wait for its answer
///         self.open = false;
///         Ok(())
///     }
/// }
///
/// # futures::executor::block_on(async {
/// let mut connection = AsyncDropGuard::new(Connection { open: true });
/// assert!(connection.open);
/// connection.async_drop().await?;
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no async cleanup",
    label = "this value would be dropped without any cleanup",
    note = "for a type of std or of another crate: a newtype of your own with an `AsyncDrop`, or `AsyncDropGuard::with_cleanup(value, |value| async move {{ value.close().await }})`, where the closure takes the value and its future returns `()` or a `Result<(), Error>`",
    note = "for a type of your own: `#[async_trait] impl AsyncDrop for {Self} {{ type Error = …; async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {{ … }} }}`"
)]
#[async_trait]
pub trait AsyncDrop {
    /// The error of the cleanup; [`Infallible`](std::convert::Infallible) if it cannot fail.
    type Error: Debug;

    /// Cleans up the value. The guard calls this; do not call it yourself.
    ///
    /// The `impl` needs `#[async_trait]` or `#[livedrop::unboxed]` above it. Without
    /// one of them the compiler says that "lifetime parameters or bounds on method `async_drop_impl` do not match the
    /// trait declaration" (E0195).
    ///
    /// # Errors
    ///
    /// The error of the cleanup. A cleanup that fails counts as attempted, and is not repeated.
    async fn async_drop_impl(&mut self) -> Result<(), Self::Error>;

    /// Cleans up the value like [`async_drop_impl`](AsyncDrop::async_drop_impl), but need not box
    /// the future.
    ///
    /// Code that knows the value's type calls this method. By default it calls `async_drop_impl`. A
    /// type that overrides it saves one allocation per cleanup. Both methods must do the same.
    ///
    /// # Errors
    ///
    /// As [`async_drop_impl`](AsyncDrop::async_drop_impl).
    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send
    where
        Self: Sized,
    {
        self.async_drop_impl()
    }
}

/// Cleans up the boxed value. `Box<dyn AsyncDrop<Error = E> + Send>` implements it, too.
#[async_trait]
impl<T: ?Sized + AsyncDrop + Send> AsyncDrop for Box<T> {
    type Error = T::Error;

    async fn async_drop_impl(&mut self) -> Result<(), T::Error> {
        (**self).async_drop_impl().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
        (**self).async_drop_impl()
    }
}

/// Cleans up the guard's value, unless it is cleaned up already. So a guard can hold a guard.
#[async_trait]
impl<T: AsyncDrop + Send> AsyncDrop for AsyncDropGuard<T, Checked> {
    type Error = T::Error;

    async fn async_drop_impl(&mut self) -> Result<(), T::Error> {
        self.async_drop().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
        self.async_drop()
    }
}

/// Cleans up the guard's value, unless it is cleaned up already. So a guard can hold a guard.
// Excluded from rustc's list of implementations: one impl for guards is enough there.
#[diagnostic::do_not_recommend]
#[async_trait]
impl<T: Adoptable> AsyncDrop for AsyncDropGuard<T, Adopted> {
    type Error = T::Error;

    async fn async_drop_impl(&mut self) -> Result<(), T::Error> {
        self.async_drop().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
        self.async_drop()
    }
}

/// Cleans up the guard, if there is one, and leaves `None`.
#[async_trait]
impl<T: AsyncDrop, S: Cleanable<T>> AsyncDrop for Option<AsyncDropGuard<T, S>> {
    type Error = T::Error;

    async fn async_drop_impl(&mut self) -> Result<(), T::Error> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
        clean_in_place(self)
    }
}

/// Cleans up all guards concurrently, even if some cleanups fail, and leaves the vector empty.
///
/// If this is cancelled, the guards that are not cleaned up are in the vector again, and the errors
/// found so far go to the [hook](crate::hook).
#[async_trait]
impl<T: AsyncDrop, S: Cleanable<T>> AsyncDrop for Vec<AsyncDropGuard<T, S>>
where
    T::Error: Send,
{
    type Error = CleanupErrors<T::Error>;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        clean_vec(self)
    }
}
