//! `flatten_async_drop`: combines two results of guards into one.

use std::convert::Infallible;
use std::fmt::{self, Debug};
use std::marker::PhantomData;

use crate::state::{LocallyCleanable, State, UnscopedState};
use crate::{AsyncDrop, AsyncDropGuard, hook};

/// Combines two results into one: both guards, or an error and no guard.
///
/// If only one of the results is `Ok`, its guard is cleaned up before the error is returned.
///
/// # Errors
///
/// The error of the result that is `Err`. If the cleanup of the other guard fails, too, the error
/// of the cleanup goes to the [hook](crate::hook) as
/// [`Suppressed`](crate::hook::Unhandled::Suppressed). If both results are `Err`, this returns the
/// error of `first`, and the error of `second` goes to the hook.
///
/// # Panics
///
/// If the cleanup of the guard panics. The error then goes to the hook.
///
/// # Cancel safety
///
/// Not cancel safe for `Checked` and `Live` guards: the future drops the guards that it owns without
/// their cleanup, and reports them and an error that it holds. Adopted guards go to their reaper.
///
/// # Examples
///
/// ```
/// use livedrop::{AsyncDropGuard, flatten_async_drop};
/// # use std::io;
/// # struct File;
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for File {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn open(name: &str) -> io::Result<AsyncDropGuard<File>> {
/// #     if name == "a" { Ok(AsyncDropGuard::new(File)) } else { Err(io::Error::other("no such file")) }
/// # }
/// async fn open_both() -> io::Result<(AsyncDropGuard<File>, AsyncDropGuard<File>)> {
///     // If `b` cannot be opened, this closes `a`.
///     flatten_async_drop(open("a").await, open("b").await).await
/// }
/// # futures::executor::block_on(async { assert!(open_both().await.is_err()) });
/// ```
///
/// The type arguments are the returned error, and the guard and the error of each result. Checked at
/// compile time, and with a common error type:
///
/// ```
/// use livedrop::{AsyncDropGuard, Live, flatten_async_drop};
/// # use std::io;
/// # struct File;
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for File {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn open(_: &str) -> Result<AsyncDropGuard<File, Live>, io::Error> { Ok(AsyncDropGuard::live(File)) }
/// # async fn lock() -> Result<AsyncDropGuard<File, Live>, std::fmt::Error> { Ok(AsyncDropGuard::live(File)) }
/// # futures::executor::block_on(async {
/// type Error = Box<dyn std::error::Error>;
///
/// let both = flatten_async_drop::<Error, _, _, _, _>(open("a").await, lock().await).await;
/// let (file, lock) = both?;
/// file.async_drop().await.result?;
/// lock.async_drop().await.result?;
/// # Ok::<(), Error>(())
/// # }).unwrap();
/// ```
#[must_use = "futures do nothing unless awaited: dropping this loses the guards"]
pub fn flatten_async_drop<E, A, E1, B, E2>(
    first: Result<A, E1>,
    second: Result<B, E2>,
) -> impl Future<Output = Result<(A, B), E>>
where
    E: From<E1> + From<E2>,
    A: UnscopedGuard,
    E1: Debug,
    B: UnscopedGuard,
    E2: Debug,
{
    async move {
        match (first, second) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            (Ok(first), Err(error)) => Err(E::from(clean_after(first.into(), error).await)),
            (Err(error), Ok(second)) => Err(E::from(clean_after(second.into(), error).await)),
            (Err(first), Err(second)) => {
                hook::report_suppressed::<B::Value>(NotMade(second));
                Err(E::from(first))
            }
        }
    }
}

/// A guard that belongs to no scope: in the state [`Checked`](crate::Checked), [`Live`](crate::Live) or
/// [`Adopted`](crate::Adopted).
///
/// [`flatten_async_drop`] has no parameter for the state: its five parameters are those of the original guide.
#[diagnostic::on_unimplemented(
    message = "`flatten_async_drop` takes results of guards, not of `{Self}`",
    label = "this result does not hold a guard",
    note = "wrap a value where it is made: `AsyncDropGuard::new(value)` for `Checked`, `AsyncDropGuard::live(value)` for `Live`"
)]
pub trait UnscopedGuard:
    Sealed + Into<AsyncDropGuard<<Self as UnscopedGuard>::Value, <Self as UnscopedGuard>::State>>
{
    /// The type of the value.
    #[doc(hidden)]
    type Value: AsyncDrop;

    /// The state of the guard.
    #[doc(hidden)]
    type State: UnscopedState + LocallyCleanable<Self::Value>;
}

impl<T, S> UnscopedGuard for AsyncDropGuard<T, S>
where
    T: AsyncDrop,
    S: UnscopedState + LocallyCleanable<T>,
{
    type Value = T;
    type State = S;
}

mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

impl<T, S: State> Sealed for AsyncDropGuard<T, S> {}

/// Cleans up `guard`, and returns `error`, which the other result holds instead of a guard. If the
/// cleanup is cancelled or panics, the hook gets `error`.
async fn clean_after<T, S, E>(guard: AsyncDropGuard<T, S>, error: E) -> E
where
    T: AsyncDrop,
    S: UnscopedState + LocallyCleanable<T>,
    E: Debug,
{
    let cleanup = AsyncDropGuard::async_drop_on_err(guard, Err::<Infallible, ()>(()));
    let mut error = ReportOnDrop::<T, E> { error: Some(error), value: PhantomData };
    let Err(()) = cleanup.await;
    error.error.take().expect("only this line takes the error before the drop")
}

/// Reports the error to the hook, unless it was taken.
struct ReportOnDrop<T, E: Debug> {
    error: Option<E>,
    value: PhantomData<fn() -> T>,
}

impl<T, E: Debug> Drop for ReportOnDrop<T, E> {
    fn drop(&mut self) {
        if let Some(error) = self.error.take() {
            hook::report_suppressed::<T>(NotMade(error));
        }
    }
}

/// The error of a guard that could not be made.
struct NotMade<E>(E);

impl<E: Debug> Debug for NotMade<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is nothing to clean up: {:?}", self.0)
    }
}
