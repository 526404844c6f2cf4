//! Bodies around which the library does the cleanup, so that nothing can be forgotten.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::caught::{Payload, resume_with, suppress_body_panic};
use crate::cleaned::{Cleaned, body_first, end_with};
use crate::kept::Kept;
use crate::{AsyncDrop, AsyncDropGuard, Lends, Remembers, State};

/// Runs `body` with the value, cleans up, and returns what came of both.
///
/// The library owns the guard: the cleanup runs after the body whatever it returns, and after
/// a panic in the body, which is resumed then. The body borrows freely and may use `?`.
///
/// [`with_async_drop`] makes one result of the two.
///
/// # Errors
///
/// The second half of the output is the result of the cleanup.
///
/// # Panics
///
/// Resumes a panic of the body, once the cleanup has ended. If the cleanup fails or panics as
/// well, that goes to the [hook](crate::hook). If only the cleanup panics, that panic goes on,
/// and takes the body's output along. If `guard` was cleaned up before.
///
/// # Cancel safety
///
/// Not cancel safe for `Checked` and `Live` guards: if the future is dropped before it is
/// ready, the value is lost, and reported to the [hook](crate::hook) as cancelled, in its body
/// or in its cleanup. A panic of the body that waited for the cleanup goes to the hook, too.
///
/// # Examples
///
/// A body may return another guard; it is not lost if the cleanup fails:
///
/// ```
/// use livedrop::{AsyncDropGuard, bracket};
/// # use std::io;
/// # struct Database;
/// # struct Session;
/// # impl Database { async fn session(&mut self) -> AsyncDropGuard<Session> { AsyncDropGuard::new(Session) } }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Database {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Err(io::Error::other("busy")) }
/// # }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Session {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # futures::executor::block_on(async {
/// let database = AsyncDropGuard::new(Database);
/// let (mut session, closed) = bracket(database, async |database| database.session().await).await;
/// assert!(closed.is_err());
/// session.async_drop().await?;
/// # Ok::<(), io::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "futures do nothing unless awaited: the value would be dropped without its cleanup"]
#[track_caller]
pub fn bracket<T, S, R>(
    guard: AsyncDropGuard<T, S>,
    body: impl AsyncFnOnce(&mut T) -> R,
) -> impl Future<Output = (R, Result<(), T::Error>)>
where
    T: AsyncDrop,
    S: Lends<T>,
{
    let mut guard = AsyncDropGuard::lend(guard);
    async move {
        // The body is called in there, too: it may panic before it has made a future.
        match catch(async { body(&mut *guard).await }).await {
            Ok(output) => {
                let cleanup = catch(clean_uncaught(&mut guard)).await;
                (output, end(guard, cleanup).resume())
            }
            Err(payload) => clean_behind(guard, payload).await,
        }
    }
}

/// Runs `body` with the value, cleans up, and returns the body's result.
///
/// The library owns the guard: the cleanup runs after the body whatever it returns, and after
/// a panic in the body, which is resumed then. The body borrows freely and may use `?`.
///
/// The macro of the same name, [`with_async_drop!`](crate::with_async_drop!), does it for a
/// block, and for several guards.
///
/// # Errors
///
/// The body's error, or else that of the cleanup. If there are both, that of the cleanup goes
/// to the [hook](crate::hook) as [`Suppressed`](crate::hook::Unhandled::Suppressed);
/// [`bracket`] returns both. If only the cleanup fails, what the body returned is dropped; where
/// that panics, as a guard in it does, the error goes to the hook.
///
/// A cleanup that cannot fail needs no [`From`] for its [`Infallible`](std::convert::Infallible):
/// `let (output, Ok(())) = bracket(guard, body).await;`.
///
/// # Panics
///
/// As [`bracket`] does.
///
/// # Cancel safety
///
/// As [`bracket`]'s.
///
/// # Examples
///
/// ```
/// use livedrop::{AsyncDropGuard, with_async_drop};
/// # use std::io;
/// # struct Connection;
/// # impl Connection { async fn query(&mut self, _: &str) -> io::Result<u32> { Ok(1) } }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn connect() -> io::Result<AsyncDropGuard<Connection>> { Ok(AsyncDropGuard::new(Connection)) }
///
/// async fn count() -> io::Result<u32> {
///     let connection = connect().await?;
///     with_async_drop(connection, async |connection| {
///         let rows = connection.query("select count(*) from a").await?;
///         Ok(rows + connection.query("select count(*) from b").await?)
///     })
///     .await
/// }
/// # assert_eq!(futures::executor::block_on(count()).unwrap(), 2);
/// ```
#[must_use = "futures do nothing unless awaited: the value would be dropped without its cleanup"]
#[track_caller]
pub fn with_async_drop<T, S, R, E>(
    guard: AsyncDropGuard<T, S>,
    body: impl AsyncFnOnce(&mut T) -> Result<R, E>,
) -> impl Future<Output = Result<R, E>>
where
    T: AsyncDrop,
    S: Lends<T>,
    E: From<T::Error>,
{
    bracket(guard, body).map(|(body, cleanup)| body_first::<T, R, E>(body, cleanup, E::from))
}

/// Runs the body, or the block of a macro.
// Not an `async fn`: that would hold the future twice.
#[doc(hidden)]
#[inline]
pub fn catch<R>(body: impl Future<Output = R>) -> impl Future<Output = Result<R, Payload>> {
    AssertUnwindSafe(body).catch_unwind()
}

/// Cleans up behind a body that has ended, to be [caught](catch) and then [ended](end).
#[doc(hidden)]
#[inline]
pub fn clean_uncaught<T: AsyncDrop, S: Remembers<T>>(
    guard: &mut AsyncDropGuard<T, S>,
) -> impl Future<Output = Result<(), T::Error>> {
    S::clean_uncaught(&mut guard.slot)
}

/// The cleanup has ended: nothing is owed any more, and the value goes. Resumes a panic.
#[doc(hidden)]
#[inline]
pub fn end<T: AsyncDrop, S: Remembers<T>>(
    guard: AsyncDropGuard<T, S>,
    cleanup: Result<Result<(), T::Error>, Payload>,
) -> Cleaned<T> {
    match cleanup {
        Ok(result) => Cleaned::without_panic(end_with::<T>(result, || S::end(guard.slot))),
        Err(payload) => resume_with(payload, || S::end(guard.slot)),
    }
}

/// Cleans up behind a body that has panicked, and resumes that.
///
/// Boxed, so that the compiler inlines what happens without a panic, and not this.
#[doc(hidden)]
#[cold]
pub fn clean_behind<'a, T: AsyncDrop + 'a, S: Remembers<T> + 'a, N>(
    mut guard: AsyncDropGuard<T, S>,
    payload: Payload,
) -> BoxFuture<'a, N> {
    Box::pin(async move {
        let first = Kept::new(payload, suppress_body_panic::<T>);
        let cleaned = S::clean_caught(&mut guard.slot).await;
        resume_unwind(cleaned.after_panic(first.take()))
    })
}

/// The end of the body, while it waits for several cleanups. `_first` is one of the guards.
#[doc(hidden)]
pub fn keep<T, S: State, R>(
    _first: &AsyncDropGuard<T, S>,
    body: Result<R, Payload>,
) -> Result<R, Kept<Payload>> {
    body.map_err(|payload| Kept::new(payload, suppress_body_panic::<T>))
}

/// Cleans up beside others: one that panics must not stop them, nor is what came of it to be lost
/// while they go on.
#[doc(hidden)]
#[inline]
pub fn clean_caught<T: AsyncDrop, S: Remembers<T>>(
    guard: &mut AsyncDropGuard<T, S>,
) -> impl Future<Output = Kept<Cleaned<T>>> {
    S::clean_caught(&mut guard.slot).map(|cleaned| Kept::new(cleaned, Cleaned::suppress))
}

/// All of them have ended. Weighs the panic of one.
#[doc(hidden)]
pub fn panic_first<T: AsyncDrop, R>(
    body: Result<R, Payload>,
    cleaned: Kept<Cleaned<T>>,
) -> (Result<R, Payload>, Cleaned<T>) {
    cleaned.take().panic_first(body)
}
