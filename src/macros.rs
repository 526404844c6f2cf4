//! The macros: a block with guards by name, cleaned up behind it; and a strict scope.

#[cfg(feature = "derive")]
pub(crate) mod derive;

/// Runs a block with one or more guards, cleans them up, and gives the block's result.
///
/// `with_async_drop!(a, b, { block })` takes the guards `a` and `b` by the names of their
/// variables. In the block the names are the guards, borrowed: use the values through them.
/// The macro awaits by itself, so it stands in an `async` context, and its value is the
/// block's `Result`. A `?` or a `return` in the block ends the block.
///
/// The guards are cleaned up after the block whatever it returns, and after a panic, which is
/// resumed then: several of them concurrently, all of them even when one fails or panics.
///
/// `with_async_drop!(a, b, { block }, map_err)` maps the error of each cleanup by `map_err`,
/// which is written out once for each guard; otherwise it is [`From::from`].
///
/// The [function](crate::with_async_drop()) of the same name takes a closure instead of a
/// block.
///
/// # Errors
///
/// The block's error, or else the first of a cleanup, in the order of the names. All others go
/// to the [hook](crate::hook) as [`Suppressed`](crate::hook::Unhandled::Suppressed). If only
/// cleanups fail, what the block returned is dropped; where that panics, as a guard in it does,
/// their errors go to the hook.
///
/// # Panics
///
/// Resumes a panic of the block once the cleanup has ended, or else the first of a cleanup.
/// Other panics of cleanups go to the hook. If a guard was cleaned up before.
///
/// # Cancel safety
///
/// As of [`bracket`](crate::bracket). With several guards, what came of the cleanups that had ended
/// by then goes to the hook.
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
/// # futures::executor::block_on(async {
/// #     assert_eq!(copy().await.unwrap(), 4);
/// #     assert_eq!(read().await.unwrap(), "text");
/// # });
/// ```
#[macro_export]
macro_rules! with_async_drop {
    ($($guard:ident),+, $body:block $(,)?) => {
        $crate::__with_async_drop!(($($guard),+), $body, result, after, ())
    };
    ($($guard:ident),+, $body:block, $map_err:expr $(,)?) => {
        $crate::__with_async_drop!(($($guard),+), $body, result, after_mapped, ($map_err))
    };
}

/// Runs a block with one or more guards whose cleanup cannot fail, cleans them up, and gives
/// what the block returns, whatever its type.
///
/// The [`Error`](crate::AsyncDrop::Error) of the guarded types is
/// [`Infallible`](std::convert::Infallible). Everything else is as with
/// [`with_async_drop!`](crate::with_async_drop!).
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
        $crate::__with_async_drop!(($($guard),+), $body, value, after_infallible, ())
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

/// Runs a body with a `Live` guard, and does not compile unless the body cleans it up.
///
/// `scope!(guard, async |guard| { … })` is a call of the function [`scope`](crate::scope()), whose
/// guarantee it has, and is awaited like one. The body is written like an async closure, without
/// `move` and without types, which are for the function, and ends
/// with the proof and its own result: `guard.async_drop().await.after(result)`, or
/// `(guard.async_drop().await.proof, value)`. A body that ends otherwise is refused in these words.
///
/// A body that never ends, such as a `loop` without a `break`, is for the function.
///
/// # Panics, cancel safety
///
/// As of the function [`scope`](crate::scope()).
///
/// # Examples
///
/// ```
/// use livedrop::{AsyncDropGuard, scope};
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
///     let rows = connection.query("select 1").await; // a `?` here would skip the cleanup
///     connection.async_drop().await.after(rows)
/// })
/// .await?;
/// # assert_eq!(rows, 1);
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
#[macro_export]
macro_rules! scope {
    ($guard:expr, async |$name:pat_param| $body:tt $(,)?) => {
        $crate::enter(
            $crate::Exits::<{ $crate::__is!(try $body) && !$crate::__is!(return $body) }>,
            $guard,
            async |$name, (exits, entered)| $crate::LeavesBy::leave(exits, entered.leave($body)),
        )
    };
    ($guard:expr, async |$name:pat_param| $body:expr $(,)?) => {
        $crate::scope!($guard, async |$name| { $body })
    };
}

/// Whether this token is a `?`, or a `return`, or has one in it.
#[doc(hidden)]
#[macro_export]
macro_rules! __is {
    (try ?) => { true };
    (return return) => { true };
    ($what:tt ($($token:tt)*)) => { $crate::any(&[$($crate::__is!($what $token)),*]) };
    ($what:tt [$($token:tt)*]) => { $crate::any(&[$($crate::__is!($what $token)),*]) };
    ($what:tt {$($token:tt)*}) => { $crate::any(&[$($crate::__is!($what $token)),*]) };
    ($what:tt $token:tt) => { false };
}

/// What the macros share: they differ in what the block may end with, and in how a cleanup is
/// weighed against it.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_async_drop {
    (($($guard:ident),+), $body:block, $ends_with:ident, $after:ident, $map_err:tt) => {{
        $(let mut $guard = $crate::AsyncDropGuard::lend($guard);)+
        // What came of the cleanups takes over the names of the guards.
        let (body, $crate::__with_async_drop!(@nest $($guard),+)) =
            $crate::__with_async_drop!(@run ($ends_with $body), $($guard),+);
        let body = $crate::Caught::new(body);
        $(let body = $crate::__with_async_drop!(@after $guard, body, $after, $map_err);)+
        body.resume()
    }};
    // The type is said here, so that a block that ends with something else is what the compiler
    // points at.
    (@body $ends_with:ident $body:block) => {
        async {
            let body: $crate::__with_async_drop!(@$ends_with) = $body;
            #[allow(unreachable_code)]
            return body;
        }
    };
    (@result) => { ::core::result::Result<_, _> };
    (@value) => { _ };
    (@run ($($body:tt)+), $guard:ident) => {
        match $crate::__private::catch($crate::__with_async_drop!(@body $($body)+)).await {
            ::core::result::Result::Ok(body) => {
                let cleanup = $crate::__private::clean_uncaught(&mut $guard);
                let cleanup = $crate::__private::catch(cleanup).await;
                (::core::result::Result::Ok(body), $crate::__private::end($guard, cleanup))
            }
            ::core::result::Result::Err(payload) => {
                $crate::__private::clean_behind($guard, payload).await
            }
        }
    };
    (@run ($($body:tt)+), $first:ident $(, $others:ident)+) => {{
        let body = $crate::__private::catch($crate::__with_async_drop!(@body $($body)+)).await;
        let body = $crate::__private::keep(&$first, body);
        let $crate::__with_async_drop!(@nest $first $(, $others)+) =
            $crate::__with_async_drop!(@clean $first $(, $others)+).await;
        let body = body.map_err($crate::Kept::take);
        let (body, $first) = $crate::__private::panic_first(body, $first);
        $(let (body, $others) = $crate::__private::panic_first(body, $others);)+
        (body, $crate::__with_async_drop!(@nest $first $(, $others)+))
    }};
    (@nest $guard:ident) => { $guard };
    (@nest $guard:ident, $($others:ident),+) => {
        ($guard, $crate::__with_async_drop!(@nest $($others),+))
    };
    (@clean $guard:ident) => { $crate::__private::clean_caught(&mut $guard) };
    (@clean $guard:ident, $($others:ident),+) => {
        $crate::__private::join(
            $crate::__private::clean_caught(&mut $guard),
            $crate::__with_async_drop!(@clean $($others),+),
        )
    };
    (@after $guard:ident, $body:ident, $after:ident, ($($map_err:expr)?)) => {
        $guard.$after($body $(, $map_err)?)
    };
}
