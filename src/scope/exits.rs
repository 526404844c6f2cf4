//! The ways out of the body of `scope!`: where a `?` stands in it, the compiler is to say why it
//! cannot stay.

use futures::FutureExt;

use super::Entered;
use crate::{AsyncDropGuard, Enters, Proof, ScopedGuard};

/// What a `?` in the body of a scope would return in place of a proof. There is no such value.
#[doc(hidden)]
#[derive(Debug)]
pub enum SkipsTheCleanup {}

/// No error is one: the bound of a conversion that exists only to be refused in plain words.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `?` in the body of a scope would leave it before the cleanup",
    label = "this `?` would skip the cleanup: keep the `Result`, and end the body with `guard.async_drop().await.after(result)`, which returns it"
)]
pub trait MaySkipTheCleanup {
    /// There is nothing to return: all that this could do is to panic, as a body may.
    fn skip(self) -> SkipsTheCleanup;
}

impl<E: MaySkipTheCleanup> From<E> for SkipsTheCleanup {
    fn from(error: E) -> Self {
        error.skip()
    }
}

/// Whether the body of a scope has a `?` and no `return` in it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Exits<const BY_TRY: bool>;

/// What the body returns where it ends with this `End`.
///
/// With a `?` in it, that is a `Result` with an error that nothing converts to: so the compiler
/// refuses a `?` of the body's own by that error's name, and not by that of `End`. One in a block
/// or a closure inside of the body has nothing to do with it.
#[doc(hidden)]
pub trait LeavesBy {
    type Exit<End>;

    fn leave<End>(self, end: End) -> Self::Exit<End>;
    fn end<End>(exit: Self::Exit<End>) -> End;
}

impl LeavesBy for Exits<false> {
    type Exit<End> = End;

    fn leave<End>(self, end: End) -> End {
        end
    }

    fn end<End>(end: End) -> End {
        end
    }
}

impl LeavesBy for Exits<true> {
    type Exit<End> = Result<End, SkipsTheCleanup>;

    fn leave<End>(self, end: End) -> Result<End, SkipsTheCleanup> {
        Ok(end)
    }

    fn end<End>(exit: Result<End, SkipsTheCleanup>) -> End {
        match exit {
            Ok(end) => end,
            Err(never) => match never {},
        }
    }
}

/// Whether one of these is true.
#[doc(hidden)]
#[must_use]
pub const fn any(mut these: &[bool]) -> bool {
    while let [first, others @ ..] = these {
        if *first {
            return true;
        }
        these = others;
    }
    false
}

/// [`scope`](crate::scope()), for the macro. What it knows of the guard goes into the body beside the
/// guard: made of a borrow in there, it would cost the body's future a second place for the value.
#[doc(hidden)]
#[must_use = "futures do nothing unless awaited: the value would be dropped without its cleanup"]
#[inline]
pub fn enter<T, S, R, E, F>(
    exits: E,
    guard: AsyncDropGuard<T, S>,
    body: F,
) -> impl Future<Output = R>
where
    S: Enters,
    E: LeavesBy,
    F: for<'scope> AsyncFnOnce(
        ScopedGuard<'scope, T>,
        (E, Entered<'scope, T>),
    ) -> E::Exit<(Proof<'scope, T>, R)>,
{
    let guard = AsyncDropGuard { slot: S::enter(guard.slot) };
    body(guard, (exits, Entered::new())).map(|exit| E::end(exit).1)
}
