//! The strict scope: its body must return the proof that the guard was cleaned up.

use futures::FutureExt;

use crate::guard::Slot;
use crate::state::{EntersScope, Scoped, Unbacked};
use crate::{AsyncDropGuard, Dropped, Live};

mod diagnostics;
mod leaves_by_try;

#[doc(hidden)]
pub use diagnostics::{
    CleanupBeforeQuestionMark, EarlyExit, Entered, Entering, Enters, Exits, IsProof, NoTryError,
    SameScope, SameValue, ScopeExit, ScopeOutput, ScopeOutput2, ScopeOutput3, ScopeOutput4,
    ScopeProof, ScopeValue, enter, enter2, enter3, enter4, leave2, leave3, leave4,
};
#[doc(hidden)]
pub use leaves_by_try::leaves_by_try;

/// The guard that belongs to the scope `'scope`.
///
/// `K` is its backing: [`Unbacked`], or [`Adopted`](crate::Adopted) if it entered the scope as an adopted
/// guard. A function that takes both has a parameter `K: `[`Backs<T>`](crate::state::Backs).
pub type ScopedGuard<'scope, T, K = Unbacked> = AsyncDropGuard<T, Live<Scoped<'scope>, K>>;

/// The proof that the guard of the scope `'scope` was cleaned up.
pub type Proof<'scope, T> = AsyncDropGuard<T, Dropped<Scoped<'scope>>>;

// The rule of brands, on which the scope's guarantee rests: no public function returns a guard or a proof
// branded `Scoped<'s>` for a value type that does not mention `'s`, unless it consumes or unwraps one with
// that brand. If a function made a second guard with the brand, for example a `clone` that copies it, a
// body could clean up the second and forget the first. `compile-fail/scope/` holds the attempts to forge a
// proof.

/// Runs `body` with the guard, and does not compile unless `body` cleans it up.
///
/// The macro of the same name, [`scope!`](crate::scope!), does the same with clearer error messages. This
/// function is for bodies that are functions or variables.
///
/// The body returns the proof of *this* guard's cleanup together with its own result. Each scope has its
/// own brand `'scope`, a lifetime, so that no other proof fits and the guard cannot leave the scope. The
/// body can pass the guard to functions that take a [`ScopedGuard`] and return the [`Proof`].
///
/// A `?` before the cleanup does not compile: it would skip the cleanup. Write
/// [`try_or_drop!`](crate::try_or_drop!), which cleans up first. Or keep the `Result`, clean up, and
/// return [`outcome.after(result)`](crate::Outcome::after).
///
/// The guard is [`Live`] or [`Adopted`](crate::Adopted). In the scope it is `Live` either way.
///
/// # What the types cannot see
///
/// The compiler cannot reject three cases: the body panics, the future is dropped before it is ready, or
/// the body never ends. In the first two, the reaper cleans up an adopted guard, and a guard without a
/// reaper is reported to the [hook](crate::hook).
///
/// # Panics
///
/// If the body panics. A guard without a reaper is then lost, and reported to the [hook](crate::hook), which
/// does not panic again. Also panics if the value of an adopted guard was cleaned up before.
///
/// # Cancel safety
///
/// If the guard was adopted, the reaper cleans up, or resumes the cleanup. Not cancel safe without a
/// reaper: the guard is lost with the future, and reported.
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
    F: for<'scope> AsyncFnOnce(ScopedGuard<'scope, T, S::Backing>) -> (Proof<'scope, T>, R),
{
    // The guard moves into the body's future, so that `scope` does not store it too.
    body(enter_scope(guard)).map(|(_proof, output)| output)
}

/// Gives the guard the brand of its scope.
///
/// # Panics
///
/// If the value of an adopted guard was cleaned up before.
#[track_caller]
#[inline]
fn enter_scope<'scope, T, S: EntersScope<T>>(
    guard: AsyncDropGuard<T, S>,
) -> ScopedGuard<'scope, T, S::Backing> {
    if guard.slot.get().is_none() {
        guard.slot.origin().panic_gone("used", S::Slot::<T>::GONE);
    }
    AsyncDropGuard { slot: guard.slot }
}

/// Runs a body with one to four guards, and does not compile unless the body cleans all of them up.
///
/// The guards are [`Live`](crate::Live) or [`Adopted`](crate::Adopted). If the future around the scope may
/// be cancelled, use adopted guards: the reaper then cleans up what the owner cannot.
///
/// `scope!(guard, async |guard| { … })` calls the function [`scope`](crate::scope()), and is awaited like
/// it. The body is written like an async closure, without `move` and without types. If it needs them, use
/// the function. It ends with the proof and its own result: `guard.async_drop().await.after(result)`,
/// `guard.async_drop_via(end).await`, or `(guard.async_drop().await.proof, value)`. If it ends otherwise,
/// the compiler's message shows these forms. [`try_or_drop!`](crate::try_or_drop!) stands in place of `?`.
///
/// `scope!((a, b), async |a, b| { … })` takes several guards, in mixed states. The body returns their proofs
/// in a tuple, in the order of the guards: `async_drop_all((a, b)).await.after(result)`.
///
/// For a body that never ends, such as a `loop` without a `break`, use the function.
///
/// # Panics
///
/// As the function [`scope`](crate::scope()) does.
///
/// # Cancel safety
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
///
/// With a guard that a reaper adopted, and with two guards:
///
/// ```
/// use livedrop::{AsyncDropGuard, Reaper, async_drop_all, scope};
/// # use std::io;
/// # struct Connection;
/// # impl Connection { async fn query(&mut self, _: &str) -> io::Result<u32> { Ok(1) } }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut reaper = Reaper::new();
/// let adopted = reaper.adopt(AsyncDropGuard::new(Connection));
/// scope!(adopted, async |connection| (connection.async_drop().await.proof, ())).await;
///
/// let (a, b) = (AsyncDropGuard::live(Connection), reaper.adopt(AsyncDropGuard::new(Connection)));
/// let rows = scope!((a, b), async |mut a, mut b| {
///     let rows = (a.query("left").await, b.query("right").await);
///     let outcome = async_drop_all((a, b)).await;
///     (outcome.proofs, (rows, outcome.result))
/// })
/// .await;
/// rows.1?;
/// reaper.async_drop().await?;
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! scope {
    (($a:expr, $b:expr $(,)?), async |$x:pat_param, $y:pat_param $(,)?| $($body:tt)+) => {
        $crate::__scope!(enter2 leave2 ($a, $b) ($x, $y) $($body)+)
    };
    (
        ($a:expr, $b:expr, $c:expr $(,)?),
        async |$x:pat_param, $y:pat_param, $z:pat_param $(,)?| $($body:tt)+
    ) => {
        $crate::__scope!(enter3 leave3 ($a, $b, $c) ($x, $y, $z) $($body)+)
    };
    (
        ($a:expr, $b:expr, $c:expr, $d:expr $(,)?),
        async |$x:pat_param, $y:pat_param, $z:pat_param, $w:pat_param $(,)?| $($body:tt)+
    ) => {
        $crate::__scope!(enter4 leave4 ($a, $b, $c, $d) ($x, $y, $z, $w) $($body)+)
    };
    ($guard:expr, async |$name:pat_param| $body:tt $(,)?) => {
        $crate::scope::enter(
            $crate::scope::Exits::<{ $crate::scope::leaves_by_try(::core::stringify!($body)) }>,
            $crate::scope::Enters::enter($guard),
            async |$name, (exits, entered)| {
                $crate::scope::ScopeExit::leave(exits, $crate::scope::ScopeOutput::leave(entered, $body))
            },
        )
    };
    ($guard:expr, async |$name:pat_param| $body:expr $(,)?) => {
        $crate::scope!($guard, async |$name| { $body })
    };
}

/// Returns the `Ok` value of an expression, or cleans the guard up and leaves the body of a
/// [`scope`](crate::scope!) with the error.
///
/// It is the `?` of a strict scope. A `?` itself would skip the cleanup, so it does not compile there.
///
/// `try_or_drop!(guard, expression)` is
///
/// ```text
/// match expression {
///     Ok(value) => value,
///     Err(error) => return guard.async_drop().await.after(Err(error.into())),
/// }
/// ```
///
/// `try_or_drop!((a, b), expression)` takes a tuple of guards, and cleans all of them up by
/// [`async_drop_all`](crate::async_drop_all()).
///
/// The macro leaves the nearest closure, `async` block or function, as `return` does. Write it in the body
/// of the scope itself, not in a block inside it.
///
/// # Errors
///
/// The body returns the error of the expression, converted by [`From`]. If the cleanup fails as well, its
/// error goes to the [hook](crate::hook).
///
/// If a `?` follows the scope, nothing names the body's error: end the body with
/// `.after(Ok::<_, io::Error>(value))`.
///
/// # Panics
///
/// If the cleanup panics. The error of the expression is dropped then.
///
/// # Cancel safety
///
/// As of the function [`scope`](crate::scope()).
///
/// # Examples
///
/// ```
/// use livedrop::{AsyncDropGuard, scope, try_or_drop};
/// # use std::io;
/// # struct Connection;
/// # impl Connection { async fn query(&mut self, _: &str) -> io::Result<u32> { Ok(1) } }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
///
/// async fn count() -> io::Result<u32> {
///     scope!(AsyncDropGuard::live(Connection), async |mut connection| {
///         let users = try_or_drop!(connection, connection.query("count users").await);
///         let posts = try_or_drop!(connection, connection.query("count posts").await);
///         connection.async_drop().await.after(Ok(users + posts))
///     })
///     .await
/// }
/// # assert_eq!(futures::executor::block_on(count()).unwrap(), 2);
/// ```
#[macro_export]
macro_rules! try_or_drop {
    (($($guard:expr),+ $(,)?), $result:expr $(,)?) => {
        match $result {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(error) => {
                let error = ::core::convert::Into::into(error);
                return $crate::scope::EarlyExit::exit(
                    $crate::async_drop_all(($($guard,)+))
                        .await
                        .after(::core::result::Result::Err(error)),
                );
            }
        }
    };
    ($guard:expr, $result:expr $(,)?) => {
        match $result {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(error) => {
                let error = ::core::convert::Into::into(error);
                return $crate::scope::EarlyExit::exit(
                    $guard.async_drop().await.after(::core::result::Result::Err(error)),
                );
            }
        }
    };
}

/// `scope!` with several guards.
#[doc(hidden)]
#[macro_export]
macro_rules! __scope {
    (
        $enter:ident $leave:ident ($($guard:expr),+) ($($name:pat_param),+) $body:tt $(,)?
    ) => {
        $crate::scope::$enter(
            $crate::scope::Exits::<{ $crate::scope::leaves_by_try(::core::stringify!($body)) }>,
            ($($crate::scope::Enters::enter($guard),)+),
            async |$($name,)+ (exits, entered)| {
                $crate::scope::ScopeExit::leave(exits, $crate::scope::$leave(entered, $body))
            },
        )
    };
    ($enter:ident $leave:ident $guards:tt $names:tt $body:expr $(,)?) => {
        $crate::__scope!($enter $leave $guards $names { $body })
    };
}
