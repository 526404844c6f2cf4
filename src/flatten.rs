//! `flatten_async_drop`: combines two results of guards into one.

use std::convert::Infallible;
use std::fmt::{self, Debug};
use std::marker::PhantomData;

use crate::state::{Cleanable, UnscopedState};
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
/// Checked at compile time, and with a common error type:
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
/// let both = flatten_async_drop::<Error, _, _, _, _, _>(open("a").await, lock().await).await;
/// let (file, lock) = both?;
/// file.async_drop().await.result?;
/// lock.async_drop().await.result?;
/// # Ok::<(), Error>(())
/// # }).unwrap();
/// ```
#[must_use = "futures do nothing unless awaited: dropping this loses the guards"]
#[expect(clippy::type_complexity, reason = "a result of two guards, spelled out")]
pub fn flatten_async_drop<E, A, E1, B, E2, S>(
    first: Result<AsyncDropGuard<A, S>, E1>,
    second: Result<AsyncDropGuard<B, S>, E2>,
) -> impl Future<Output = Result<(AsyncDropGuard<A, S>, AsyncDropGuard<B, S>), E>>
where
    E: From<E1> + From<E2>,
    A: AsyncDrop,
    E1: Debug,
    B: AsyncDrop,
    E2: Debug,
    S: UnscopedState + Cleanable<A> + Cleanable<B>,
{
    async move {
        match (first, second) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            (Ok(first), Err(error)) => Err(E::from(clean_after(first, error).await)),
            (Err(error), Ok(second)) => Err(E::from(clean_after(second, error).await)),
            (Err(first), Err(second)) => {
                hook::report_suppressed::<B>(NotMade(second));
                Err(E::from(first))
            }
        }
    }
}

/// Cleans up `guard`, and returns `error`, which the other result holds instead of a guard. If the
/// cleanup is cancelled or panics, the hook gets `error`.
async fn clean_after<T, S, E>(guard: AsyncDropGuard<T, S>, error: E) -> E
where
    T: AsyncDrop,
    S: UnscopedState + Cleanable<T>,
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
