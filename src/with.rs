//! Functions and macros that run a body and then clean up, so that nothing can be forgotten.

use std::panic::resume_unwind;
use std::pin::Pin;

use futures::FutureExt;

use crate::guard::{CleanupResult, Owes, Phase, Slot, clean};
use crate::panic::{PanicPayload, catch};
use crate::state::{FromCleanupError, Holds, LocallyCleanable, State, UnscopedState};
use crate::{AsyncDrop, AsyncDropGuard, hook, type_name};

/// Runs `body` with the value, cleans up, and returns both results.
///
/// The library owns the guard: the cleanup always runs after the body, even if the body panics. The panic is
/// resumed after the cleanup. The body borrows the value and may use `?`.
///
/// [`with_async_drop`] makes one result of the two.
///
/// # Errors
///
/// The second half of the output is the result of the cleanup.
///
/// # Panics
///
/// Resumes a panic of the body, once the cleanup has ended. If the cleanup fails or panics too, that goes
/// to the [hook](crate::hook). If only the cleanup panics, this resumes that panic and drops the body's
/// output. Also panics if `guard` was cleaned up before.
///
/// # Cancel safety
///
/// Not cancel safe for `Checked` and `Live` guards: if the future is dropped before it is
/// ready, the value is lost, and reported to the [hook](crate::hook) as cancelled, in its body
/// or in its cleanup. The reaper cleans up an `Adopted` guard. If the body panicked and the cleanup is then
/// cancelled, the body's panic goes to the hook.
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
    S: UnscopedState + LocallyCleanable<T>,
{
    let mut guard = lend(guard);
    async move {
        // The body is called inside the caught future: it may panic before it returns a future.
        // `map` drops its future before it returns the output: if that panics, the output is dropped, too.
        match catch(async { body(&mut *guard).map(|output| output).await }).await {
            Ok(output) => (output, clean(&mut guard.slot).await),
            Err(payload) => {
                resume_after(payload, type_name::of::<T>, clean_caught(&mut guard)).await
            }
        }
    }
}

/// Runs `body` with the value, cleans up, and returns the body's result.
///
/// The library owns the guard: the cleanup always runs after the body, even if the body panics. The panic is
/// resumed after the cleanup. The body borrows the value and may use `?`. It is an async closure,
/// `async |value| …`: the future of `|value| async move { … }` may not borrow the value, so rustc
/// rejects it as "not general enough".
///
/// The macro of the same name, [`with_async_drop!`](crate::with_async_drop!), does it for a
/// block, and for several guards.
///
/// # Errors
///
/// The error of the body, or else the error of the cleanup. If there are both, the error of the cleanup
/// goes to the [hook](crate::hook) as [`Suppressed`](crate::hook::Unhandled::Suppressed); [`bracket`]
/// returns both. If only the cleanup fails, the body's output is dropped. If that drop panics, for example
/// because the output holds a guard, the cleanup's error goes to the hook.
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
    S: UnscopedState + LocallyCleanable<T>,
    E: FromCleanupError<T::Error>,
{
    bracket(guard, body).map(|(body, cleanup)| CleanupResult::<T>::new(cleanup).after(body))
}

/// Hands the guard over to the library while a body borrows its value.
///
/// # Panics
///
/// If the value was cleaned up before.
#[track_caller]
pub fn lend<T, S>(guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<T, S::Owned>
where
    T: AsyncDrop,
    S: UnscopedState + LocallyCleanable<T>,
{
    let mut slot = guard.slot.into_owned();
    if slot.get().is_none() {
        slot.origin().panic_gone("used", S::Slot::<T>::GONE);
    }
    if let Some((phase, _)) = slot.owed() {
        *phase = Phase::Borrowed;
    }
    AsyncDropGuard { slot }
}

/// Cleans up a guard that the library owns, and catches a panic of that.
#[inline]
pub fn clean_caught<T, S>(
    guard: &mut AsyncDropGuard<T, S>,
) -> impl Future<Output = CleanupResult<T>>
where
    T: AsyncDrop,
    S: Holds<Slot<T>: Owes<T>>,
{
    CleanupResult::of(clean(&mut guard.slot))
}

/// Cleans up a guard that the library owns.
#[inline]
pub fn clean_alone<T, S>(
    guard: &mut AsyncDropGuard<T, S>,
) -> impl Future<Output = Result<(), T::Error>>
where
    T: AsyncDrop,
    S: Holds<Slot<T>: Owes<T>>,
{
    clean(&mut guard.slot)
}

/// Returns the result of the guard's cleanup.
#[inline]
pub fn result_of<T: AsyncDrop, S: State>(
    _: &AsyncDropGuard<T, S>,
    result: Result<(), T::Error>,
) -> CleanupResult<T> {
    CleanupResult::new(result)
}

/// Cleans up after a body that panicked, and resumes the panic. If the cleanup is cancelled, the hook gets
/// the panic, as one of the body before the cleanup of a `type_name`.
///
/// Boxed, so that the compiler inlines the path without a panic into its caller, and not this one.
#[cold]
pub fn resume_after<N>(
    payload: PanicPayload,
    type_name: fn() -> String,
    cleanup: impl Future,
) -> Pin<Box<impl Future<Output = N>>> {
    let mut unreported = BodyPanic { payload: Some(payload), type_name };
    Box::pin(async move {
        // It reports itself during the unwinding.
        let _cleanup_result = cleanup.await;
        let Some(payload) = unreported.payload.take() else { unreachable!("it is taken once") };
        resume_unwind(payload)
    })
}

/// Reports itself to the hook if it is dropped before it was resumed.
struct BodyPanic {
    payload: Option<PanicPayload>,
    type_name: fn() -> String,
}

impl Drop for BodyPanic {
    fn drop(&mut self) {
        if let Some(payload) = self.payload.take() {
            hook::report_body_panic(&(self.type_name)(), payload);
        }
    }
}

/// Returns the function that names the type of the guarded value.
#[must_use]
pub fn type_name<T, S: State>(_: &AsyncDropGuard<T, S>) -> fn() -> String {
    type_name::of::<T>
}

/// Runs a block with one or more guards, cleans them up, and returns the block's result.
///
/// `with_async_drop!(a, b, { block })` takes the guards `a` and `b` by the names of their
/// variables. In the block the names are the guards, borrowed: use the values through them.
/// The macro awaits by itself, so it stands in an `async` context, and its value is the
/// block's `Result`. A `?` or a `return` in the block ends the block.
///
/// The cleanup always runs after the block, even if the block panics. The panic is resumed after the cleanup.
/// Several guards are cleaned up concurrently, all of them even if one fails or panics.
///
/// `with_async_drop!(a.map_err(f), b.map_err(g), { block })` maps the error of the cleanup of `a` by `f`, and
/// that of `b` by `g`. `with_async_drop!(a, b, { block }, map_err)` maps the error of each cleanup by `map_err`,
/// which is written out once for each guard. A guard's own `map_err` counts before the common one. Without
/// both, the error is mapped by [`From::from`].
///
/// The [function](crate::with_async_drop()) of the same name takes a closure instead of a
/// block.
///
/// # Errors
///
/// The error of the block, or else the first of a cleanup, in the order of the names. All others go to the
/// [hook](crate::hook) as [`Suppressed`](crate::hook::Unhandled::Suppressed). If only cleanups fail, the
/// block's output is dropped. If that drop panics, for example because the output holds a guard, the
/// errors of the cleanups go to the hook.
///
/// # Panics
///
/// Resumes a panic of the block once the cleanup has ended, or else the first of a cleanup.
/// Other panics of cleanups go to the hook. Also panics if a guard was cleaned up before.
///
/// # Cancel safety
///
/// As of [`bracket`](crate::bracket). With several guards, the errors of the cleanups that have ended go to
/// the hook.
///
/// # Examples
///
/// ```
/// use livedrop::{AsyncDropGuard, with_async_drop};
/// # use std::io;
/// # struct File;
/// # impl File {
/// #     async fn read(&mut self) -> io::Result<String> { Ok("text".into()) }
/// #     async fn write(&mut self, _: &str) -> io::Result<()> { Ok(()) }
/// # }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for File {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn open(_: &str) -> io::Result<AsyncDropGuard<File>> { Ok(AsyncDropGuard::new(File)) }
///
/// async fn copy() -> io::Result<usize> {
///     let (source, target) = (open("a").await?, open("b").await?);
///     with_async_drop!(source, target, {
///         let text = source.read().await?;
///         target.write(&text).await?;
///         Ok(text.len())
///     })
/// }
///
/// #[derive(Debug)]
/// enum Error { Read(io::Error), Close(io::Error) }
///
/// async fn read() -> Result<String, Error> {
///     let source = open("a").await.map_err(Error::Read)?;
///     with_async_drop!(source, { source.read().await.map_err(Error::Read) }, Error::Close)
/// }
///
/// #[derive(Debug)]
/// enum MoveError { Read(io::Error), Write(io::Error) }
///
/// async fn move_to_b() -> Result<(), MoveError> {
///     let source = open("a").await.map_err(MoveError::Read)?;
///     let target = open("b").await.map_err(MoveError::Write)?;
///     with_async_drop!(source.map_err(MoveError::Read), target.map_err(MoveError::Write), {
///         let text = source.read().await.map_err(MoveError::Read)?;
///         target.write(&text).await.map_err(MoveError::Write)
///     })
/// }
/// # futures::executor::block_on(async {
/// #     assert_eq!(copy().await.unwrap(), 4);
/// #     assert_eq!(read().await.unwrap(), "text");
/// #     move_to_b().await.unwrap();
/// # });
/// ```
#[macro_export]
macro_rules! with_async_drop {
    ($($guard:ident $(.map_err($own:expr))?),+, $body:block $(,)?) => {
        $crate::__with_async_drop!(
            ($($guard [$((after_mapped, $own))? (after)]),+), $body, result
        )
    };
    ($($guard:ident $(.map_err($own:expr))?),+, $body:block, $map_err:expr $(,)?) => {
        $crate::__with_async_drop!(
            ($($guard [$((after_mapped, $own))? (after_mapped, $map_err)]),+), $body, result
        )
    };
}

/// Runs a block with one or more guards whose cleanup cannot fail, cleans them up, and gives
/// what the block returns, whatever its type.
///
/// The [`Error`](crate::AsyncDrop::Error) of the guarded types has no values: it is
/// [`Infallible`](std::convert::Infallible), or another enum without variants. Everything else is as with
/// [`with_async_drop!`](crate::with_async_drop!). If the error has values, the compiler reports that
/// `ThisCleanupCanFailWith<…>` is non-empty; then use `with_async_drop!`.
///
/// # Examples
///
/// ```
/// use livedrop::{AsyncDropGuard, with_async_drop_infallible};
/// # use std::convert::Infallible;
/// # struct Counter(u32);
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Counter {
/// #     type Error = Infallible;
/// #     async fn async_drop_impl(&mut self) -> Result<(), Infallible> { Ok(()) }
/// # }
/// # futures::executor::block_on(async {
/// let counter = AsyncDropGuard::new(Counter(41));
/// let sum = with_async_drop_infallible!(counter, {
///     counter.0 += 1;
///     counter.0
/// });
/// assert_eq!(sum, 42);
/// # });
/// ```
#[macro_export]
macro_rules! with_async_drop_infallible {
    ($($guard:ident),+, $body:block $(,)?) => {
        $crate::__with_async_drop!(($($guard [(infallible)]),+), $body, value)
    };
}

/// [`with_async_drop!`](crate::with_async_drop!) under the name of the original guide.
#[macro_export]
macro_rules! with_async_drop_2 {
    ($($input:tt)+) => {
        $crate::with_async_drop!($($input)+)
    };
}

/// [`with_async_drop_infallible!`](crate::with_async_drop_infallible!) under the name of the
/// original guide.
#[macro_export]
macro_rules! with_async_drop_2_infallible {
    ($($input:tt)+) => {
        $crate::with_async_drop_infallible!($($input)+)
    };
}

/// What the macros share. They differ in what the block ends with (`result` or `value`), and in how the result
/// of a guard's cleanup is combined with it: `[(after)]`, `[(after_mapped, map_err)]` or `[(infallible)]`. Of
/// two such ways in the brackets, the first one counts: the guard's own, and then the one for all guards.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_async_drop {
    (
        ($first:ident $first_after:tt $(, $other:ident $other_after:tt)*), $body:block, $ends_with:ident
    ) => {{
        let mut $first = $crate::__private::lend($first);
        $(let mut $other = $crate::__private::lend($other);)*
        // The type stands here so that the compiler points at a block that ends with another one.
        let body = async {
            let body: $crate::__with_async_drop!(@$ends_with) = $body;
            #[allow(unreachable_code)]
            return body;
        };
        match $crate::__private::catch(body).await {
            ::core::result::Result::Ok(body) => {
                // From here on the names of the guards are the results of their cleanups. If one of
                // them panicked, that goes before all errors.
                let $crate::__with_async_drop!(@nest $first $(, $other)*) =
                    $crate::__with_async_drop!(@results $first $(, $other)*);
                $first.resume_panic();
                $($other.resume_panic();)*
                let body = $crate::__with_async_drop!(@after $first, body, $first_after);
                $(let body = $crate::__with_async_drop!(@after $other, body, $other_after);)*
                body
            }
            ::core::result::Result::Err(payload) => {
                let type_name = $crate::__private::type_name(&$first);
                let cleanup = $crate::__with_async_drop!(@clean $first $(, $other)*);
                $crate::__private::resume_after(payload, type_name, cleanup).await
            }
        }
    }};
    (@result) => { ::core::result::Result<_, _> };
    (@value) => { _ };
    (@nest $guard:ident) => { mut $guard };
    (@nest $guard:ident, $($others:ident),+) => {
        (mut $guard, $crate::__with_async_drop!(@nest $($others),+))
    };
    // One guard alone: a panic of its cleanup need not wait for others.
    (@results $guard:ident) => {{
        let result = $crate::__private::clean_alone(&mut $guard).await;
        $crate::__private::result_of(&$guard, result)
    }};
    (@results $($guard:ident),+) => { $crate::__with_async_drop!(@clean $($guard),+).await };
    (@clean $guard:ident) => { $crate::__private::clean_caught(&mut $guard) };
    (@clean $guard:ident, $($others:ident),+) => {
        $crate::__private::join(
            $crate::__private::clean_caught(&mut $guard),
            $crate::__with_async_drop!(@clean $($others),+),
        )
    };
    (@after $guard:ident, $body:ident, [(infallible)]) => {
        match $guard.into_result() {
            ::core::result::Result::Ok(()) => $body,
            // Only this macro knows the type of the error. A generic function cannot match it with no arms.
            ::core::result::Result::Err(error) => {
                match $crate::__private::ThisCleanupCanFailWith(error) {}
            }
        }
    };
    (@after $guard:ident, $body:ident, [($after:ident $(, $map_err:expr)?) $($_for_all:tt)?]) => {
        $guard.$after($body $(, $map_err)?)
    };
}
