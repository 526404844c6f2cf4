//! `Deferred`: a foreign value, and the closure that cleans it up.

use std::convert::Infallible;
use std::fmt::{self, Debug};
use std::ops::{Deref, DerefMut};
use std::pin::Pin;

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::guard::CleanupResult;
use crate::shim::SyncWrapper;
use crate::{AsyncDrop, type_name};

/// A value of a type without [`AsyncDrop`], with the closure that cleans it up.
///
/// [`AsyncDropGuard::with_cleanup`](crate::AsyncDropGuard::with_cleanup),
/// [`live_with_cleanup`](crate::AsyncDropGuard::live_with_cleanup) and
/// [`with_boxed_cleanup`](crate::AsyncDropGuard::with_boxed_cleanup) make it. The closure takes the
/// value by value, so that it can call methods such as `close(self)`. To name the type, use
/// [`BoxedCleanup`] for `F`.
///
/// # Cancel safety
///
/// The cleanup is cancel safe: if it is cancelled, this keeps the future of the closure, and the
/// next call *resumes* the future. The closure runs once.
///
/// # Panics
///
/// [`Deref`] panics once the cleanup has begun, because the closure owns the value then.
pub struct Deferred<T, F: CleanupFn<T>> {
    stage: Stage<T, F>,
}

impl<T, F: CleanupFn<T>> Deferred<T, F> {
    pub(crate) fn new(value: T, cleanup: F) -> Self {
        Self { stage: Stage::Idle { value, cleanup: SyncWrapper::new(cleanup) } }
    }

    /// Returns the value, and drops the closure without calling it.
    ///
    /// It is for [`async_drop_via`](crate::AsyncDropGuard::async_drop_via), which ends the guard by other
    /// means than the closure.
    ///
    /// # Panics
    ///
    /// If the cleanup has begun, because the closure owns the value then.
    ///
    /// # Examples
    ///
    /// ```
    /// use livedrop::AsyncDropGuard;
    ///
    /// # struct Transaction;
    /// # impl Transaction { async fn commit(self) -> u32 { 7 } async fn rollback(self) {} }
    /// # futures::executor::block_on(async {
    /// let tx = AsyncDropGuard::with_cleanup(Transaction, Transaction::rollback);
    /// let (_proof, id) = tx.async_drop_via(async |tx| tx.into_inner().commit().await).await;
    /// # assert_eq!(id, 7);
    /// # });
    /// ```
    #[must_use = "the value is dropped without its cleanup otherwise"]
    #[track_caller]
    pub fn into_inner(self) -> T {
        match self.stage {
            Stage::Idle { value, .. } => value,
            _ => Self::gone(),
        }
    }

    #[cold]
    #[track_caller]
    fn gone() -> ! {
        panic!("used {} after its cleanup has begun", type_name::of::<T>());
    }
}

#[async_trait]
impl<T: Send, F: CleanupFn<T> + Send> AsyncDrop for Deferred<T, F> {
    type Error = F::Error;

    async fn async_drop_impl(&mut self) -> Result<(), F::Error> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), F::Error>> + Send {
        async move {
            let Some(future) = self.stage.run() else {
                return Ok(());
            };
            let result = CleanupResult::<Self>::new(future.await.into_result());
            // If the future panics in its `Drop`, `result` reports its error.
            self.stage = Stage::Done;
            result.into_result()
        }
    }
}

impl<T, F: CleanupFn<T>> Deref for Deferred<T, F> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        match &self.stage {
            Stage::Idle { value, .. } => value,
            _ => Self::gone(),
        }
    }
}

impl<T, F: CleanupFn<T>> DerefMut for Deferred<T, F> {
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.stage {
            Stage::Idle { value, .. } => value,
            _ => Self::gone(),
        }
    }
}

impl<T: Debug, F: CleanupFn<T>> Debug for Deferred<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stage {
            Stage::Idle { value, .. } => value.fmt(f),
            _ => write!(f, "<{}: cleanup has begun>", type_name::of::<T>()),
        }
    }
}

/// How far the cleanup has come.
enum Stage<T, F: CleanupFn<T>> {
    Idle {
        value: T,
        cleanup: SyncWrapper<F>,
    },
    Running(SyncWrapper<Pin<Box<F::Future>>>),
    /// The cleanup has ended, or the closure is being called. If that call panics, it has ended.
    Done,
}

impl<T, F: CleanupFn<T>> Stage<T, F> {
    /// Returns the running cleanup, and starts it if it has not begun.
    fn run(&mut self) -> Option<Pin<&mut F::Future>> {
        match std::mem::replace(self, Stage::Done) {
            Stage::Idle { value, cleanup } => {
                *self = Stage::Running(SyncWrapper::new(Box::pin(
                    cleanup.into_inner().clean_up(value),
                )));
            }
            begun => *self = begun,
        }
        match self {
            Stage::Running(future) => Some(future.get_mut().as_mut()),
            _ => None,
        }
    }
}

/// A closure that cleans up a `T`: `FnOnce(T) -> Future`, where the future is [`Send`] and
/// returns a [`CleanupOutput`].
///
/// It is implemented for all such closures, and names their future and the error.
#[diagnostic::on_unimplemented(
    message = "this cannot clean up a `{T}`",
    label = "not a closure from `{T}` to a future of a result",
    note = "write `|value| async move {{ value.close().await }}`: it takes the value, and its future is `Send` and returns `()` or a `Result<(), E>` with `E: Debug`"
)]
pub trait CleanupFn<T> {
    /// The future that the closure returns.
    type Future: Future<Output: CleanupOutput<Error = Self::Error>> + Send;
    /// The error of the cleanup.
    type Error: Debug;

    /// Calls the closure.
    #[doc(hidden)]
    fn clean_up(self, value: T) -> Self::Future;
}

impl<T, F, Fut> CleanupFn<T> for F
where
    F: FnOnce(T) -> Fut,
    Fut: Future<Output: CleanupOutput> + Send,
{
    type Future = Fut;
    type Error = <Fut::Output as CleanupOutput>::Error;

    fn clean_up(self, value: T) -> Fut {
        self(value)
    }
}

/// A cleanup closure without its type, so that a struct field can name the type of its guard:
/// `AsyncDropGuard<Deferred<Client, BoxedCleanup<Client, io::Error>>>`.
///
/// [`AsyncDropGuard::with_boxed_cleanup`](crate::AsyncDropGuard::with_boxed_cleanup) makes it.
///
/// A function pointer to a `BoxFuture` can be named, too. But it puts a `dyn` into the type of the guard,
/// and then `with_async_drop` and `scope` do not compile in a spawned task ("not general enough"): rustc
/// erases the lifetime of the `dyn` there.
pub struct BoxedCleanup<T, E> {
    cleanup: Box<dyn FnOnce(T) -> BoxFuture<'static, Result<(), E>> + Send>,
}

impl<T, E: Debug> BoxedCleanup<T, E> {
    pub(crate) fn new<F, Fut>(cleanup: F) -> Self
    where
        F: FnOnce(T) -> Fut + Send + 'static,
        Fut: Future<Output: CleanupOutput<Error = E>> + Send + 'static,
    {
        let boxed = |value| -> BoxFuture<'static, Result<(), E>> {
            let cleanup = cleanup(value);
            Box::pin(async move { cleanup.await.into_result() })
        };
        Self { cleanup: Box::new(boxed) }
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Debug> CleanupFn<T> for BoxedCleanup<T, E> {
    type Future = BoxFuture<'static, Result<(), E>>;
    type Error = E;

    fn clean_up(self, value: T) -> Self::Future {
        (self.cleanup)(value)
    }
}

impl<T, E> Debug for BoxedCleanup<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxedCleanup").finish_non_exhaustive()
    }
}

/// The output of a cleanup closure's future: `()` or a `Result<(), E>`.
#[diagnostic::on_unimplemented(
    message = "a cleanup returns `()` or a `Result<(), E>` with `E: Debug`, not `{Self}`",
    note = "drop what else it returns: `|value| async move {{ value.close().await.map(drop) }}`"
)]
pub trait CleanupOutput {
    /// The error of the cleanup.
    type Error: Debug;

    /// Returns the result of the cleanup.
    ///
    /// # Errors
    ///
    /// If the cleanup failed.
    fn into_result(self) -> Result<(), Self::Error>;
}

impl CleanupOutput for () {
    type Error = Infallible;

    fn into_result(self) -> Result<(), Infallible> {
        Ok(())
    }
}

// The output `!`, of a future that loops for ever or panics. The type cannot be named in any other way yet.
impl CleanupOutput for <fn() -> ! as returns::Returns>::Output {
    type Error = Infallible;

    fn into_result(self) -> Result<(), Infallible> {
        self
    }
}

mod returns {
    /// A function pointer, and the type that it returns.
    pub trait Returns {
        type Output;
    }

    impl<R> Returns for fn() -> R {
        type Output = R;
    }
}

impl<E: Debug> CleanupOutput for Result<(), E> {
    type Error = E;

    fn into_result(self) -> Result<(), E> {
        self
    }
}
