//! The trait that a type with an asynchronous cleanup implements.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::collections::clean_vec;
use crate::guard::clean_in_place;
use crate::reaper::Adoptable;
use crate::state::Cleanable;
use crate::{Adopted, AsyncDropGuard, Checked, CleanupErrors};

/// A value whose cleanup has to be awaited.
///
/// Implement it with `#[async_trait]`, and hand the value out inside an
/// [`AsyncDropGuard`] only: the guard is what makes the cleanup happen, once.
///
/// After the cleanup has ended, with `Ok` or with `Err`, the guard drops the value, so that
/// its own [`Drop`] runs then. A cleanup that panics counts as attempted: the guard is
/// disarmed, the value is dropped and the panic goes on.
///
/// The cleanup takes `&mut self`, not `self`: the value stays in its guard while the cleanup
/// runs, so that an interrupted cleanup has lost nothing.
///
/// The future of the cleanup is [`Send`]. Values whose cleanup is not `Send` (an `Rc` held
/// across an `.await`) are out of scope for now.
///
/// # Cancel safety
///
/// This is a contract for implementors. The future of
/// [`async_drop_impl`](AsyncDrop::async_drop_impl) may be dropped half-way, and the method
/// called again from its start. Write it so that the second call finishes what the first one
/// left: take out of `self` what is done, step by step.
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
///         // say goodbye to the peer, wait for its answer
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
    note = "for a type of your own: `#[async_trait] impl AsyncDrop for {Self} {{ type Error = …; async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {{ … }} }}`",
    note = "for a foreign type: `AsyncDropGuard::with_cleanup(value, |value| async move {{ value.close().await }})`, where the closure takes the value and its future returns `()` or a `Result<(), Error>`; or a newtype of your own"
)]
#[async_trait]
pub trait AsyncDrop {
    /// What the cleanup can fail with; [`Infallible`](std::convert::Infallible) if it cannot.
    type Error: Debug;

    /// Cleans up. Called by the guard; do not call it yourself.
    ///
    /// # Errors
    ///
    /// Whatever the cleanup fails with. It counts as attempted: it is not tried again.
    async fn async_drop_impl(&mut self) -> Result<(), Self::Error>;

    /// The same cleanup without the `Box` around its future.
    ///
    /// Everything that knows the value's type calls this one. By default it is
    /// [`async_drop_impl`](AsyncDrop::async_drop_impl). A type that overrides it saves one
    /// allocation per cleanup; both methods must then do the same.
    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send
    where
        Self: Sized,
    {
        self.async_drop_impl()
    }
}

/// Cleans the boxed value up. `Box<dyn AsyncDrop<Error = E> + Send>` is one.
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

/// A guard inside a guard: cleaned up once, whoever comes first.
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

/// A guard inside a guard: cleaned up once, and by the reaper if not by its owner.
// One line for guards is enough in the compiler's list of implementations.
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

/// Cleans the guard up if there is one, and leaves `None`.
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

/// Cleans all the guards up concurrently, even when some fail, and leaves the vector empty.
///
/// If this is cancelled, the guards that are not done yet are still in the vector, and the
/// errors found so far go to the [hook](crate::hook).
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
