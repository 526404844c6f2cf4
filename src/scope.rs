//! The strict scope: a body that has to return the proof that its guard was cleaned up.

use futures::FutureExt;

use crate::state::{EntersScope, Scoped};
use crate::{AsyncDropGuard, Dropped, Live};

mod diagnostics;

#[doc(hidden)]
pub use diagnostics::{
    Entered, Exits, IsProof, NoTryError, SameScope, SameValue, ScopeExit, ScopeOutput,
    TryBeforeCleanup, any, enter,
};

/// The guard that belongs to the scope `'scope`.
pub type ScopedGuard<'scope, T> = AsyncDropGuard<T, Live<Scoped<'scope>>>;

/// The proof that the guard of the scope `'scope` was cleaned up.
pub type Proof<'scope, T> = AsyncDropGuard<T, Dropped<Scoped<'scope>>>;

// The rule of brands, on which the scope's guarantee rests: no public function returns a guard
// or a proof branded `Scoped<'s>` for a value type that does not mention `'s`, unless it
// consumes (or unwraps) one with that brand. A function that made a second guard with the brand
// (a `clone` that copied the brand of the guard it was called through, say) would let a body
// clean the second one up and forget the first. `compile-fail/scope/` holds the forgeries.

/// Runs `body` with the guard, and does not compile unless `body` cleans it up.
///
/// The macro of the same name, [`scope!`](crate::scope!), does the same and says more plainly what
/// is missing. This function is for bodies that are functions or variables.
///
/// The body returns the proof of *this* guard's cleanup together with its own result. The
/// brand `'scope` is a lifetime of its own for every scope, so that no other proof fits and the
/// guard cannot leave. It can be handed to functions that take a [`ScopedGuard`] and return the
/// [`Proof`].
///
/// A `?` before the cleanup does not compile: it would skip the cleanup. Keep the `Result`,
/// clean up, and return [`outcome.after(result)`](crate::Outcome::after).
///
/// # What the types cannot see
///
/// A panic in the body, a future that is dropped before it is ready, and a body that never
/// ends. The first two are reported to the [hook](crate::hook).
///
/// # Panics
///
/// If the body does. The guard that goes with it is reported by a line.
///
/// # Cancel safety
///
/// Not cancel safe: the guard is lost with the future, and reported.
///
/// # Examples
///
/// ```
/// use livedrop::scope::{Proof, ScopedGuard};
/// use livedrop::{AsyncDropGuard, scope};
/// # use std::io;
/// # struct Connection;
/// # impl Connection { async fn query(&mut self, _: &str) -> io::Result<u32> { Ok(1) } }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
///
/// async fn log_out(mut connection: ScopedGuard<'_, Connection>) -> Proof<'_, Connection> {
///     let _ = connection.query("bye").await;
///     connection.async_drop().await.proof
/// }
/// # async fn f() -> io::Result<()> {
///
/// async fn count(mut connection: ScopedGuard<'_, Connection>) -> (Proof<'_, Connection>, io::Result<u32>) {
///     let rows = connection.query("select 1").await;
///     connection.async_drop().await.after(rows)
/// }
///
/// let rows = scope(AsyncDropGuard::live(Connection), count).await?;
/// assert_eq!(rows, 1);
///
/// scope(AsyncDropGuard::live(Connection), async |c| (log_out(c).await, ())).await;
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
#[must_use = "futures do nothing unless awaited: the value would be dropped without its cleanup"]
#[inline]
pub fn scope<T, S, R, F>(guard: AsyncDropGuard<T, S>, body: F) -> impl Future<Output = R>
where
    S: EntersScope<T>,
    F: for<'scope> AsyncFnOnce(ScopedGuard<'scope, T>) -> (Proof<'scope, T>, R),
{
    // The body's future holds the guard from here on, so that nothing else has to.
    body(AsyncDropGuard { slot: guard.slot }).map(|(_proof, output)| output)
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
        $crate::scope::enter(
            $crate::scope::Exits::<{ $crate::__is!(try $body) && !$crate::__is!(return $body) }>,
            $guard,
            async |$name, (exits, entered)| $crate::scope::ScopeExit::leave(exits, entered.leave($body)),
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
    ($what:tt ($($token:tt)*)) => { $crate::scope::any(&[$($crate::__is!($what $token)),*]) };
    ($what:tt [$($token:tt)*]) => { $crate::scope::any(&[$($crate::__is!($what $token)),*]) };
    ($what:tt {$($token:tt)*}) => { $crate::scope::any(&[$($crate::__is!($what $token)),*]) };
    ($what:tt $token:tt) => { false };
}
