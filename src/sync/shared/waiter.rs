//! The future that awaits a handle of an `AsyncDropShared`, by `get` or by `.await`.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::FutureExt;
use futures::future::{Map, Shared};

use super::{AsyncDropShared, Catching, STORED, TaskPanicked, Value};
use crate::guard::Origin;
use crate::shim::Arc;
use crate::state::{Holds, LocallyCleanable, State};
use crate::sync::AsyncDropArc;
use crate::{AsyncDrop, AsyncDropGuard};

/// The future of [`AsyncDropShared::get`].
#[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
pub struct Waiter<'a, O, Fut, S: State>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    pub(super) future: Shared<Catching<O, Fut, S>>,
    pub(super) value: &'a Value<O, S>,
    pub(super) origin: Origin<AsyncDropArc<O, S>>,
}

impl<O, Fut, S> Future for Waiter<'_, O, Fut, S>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
    AsyncDropArc<O, S>: AsyncDrop,
    S: LocallyCleanable<AsyncDropArc<O, S>>,
{
    type Output = Result<AsyncDropGuard<AsyncDropArc<O, S>, S>, TaskPanicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let finished = ready!(self.future.poll_unpin(cx));
        // The new guard has the state of the value's guard, not of the handle's guard: a scope's brand
        // must not pass to a second guard.
        Poll::Ready(finished.map(|()| {
            let value = self.value.get().expect(STORED);
            AsyncDropArc::handle_at(self.origin, Arc::clone(value))
        }))
    }
}

/// `(&*shared).await` awaits the future as [`get`](AsyncDropShared::get) does, and panics if the future
/// panicked.
///
/// This is for code that awaits the `AsyncDropShared` of the original guide, which is a future. The same
/// holds for `&mut`, and for a reference to a handle in its guard: `(&shared).await`.
impl<'a, O, Fut, S> IntoFuture for &'a AsyncDropShared<O, Fut, S>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
    AsyncDropArc<O, S>: AsyncDrop,
    S: LocallyCleanable<AsyncDropArc<O, S>>,
{
    type Output = AsyncDropGuard<AsyncDropArc<O, S>, S>;
    type IntoFuture =
        Map<Waiter<'a, O, Fut, S>, fn(Result<Self::Output, TaskPanicked>) -> Self::Output>;

    #[track_caller]
    fn into_future(self) -> Self::IntoFuture {
        self.waiter().map(|result| result.unwrap_or_else(|panicked| panicked.resume()))
    }
}

/// As for a shared reference.
impl<'a, O, Fut, S> IntoFuture for &'a mut AsyncDropShared<O, Fut, S>
where
    S: State,
    Fut: Future<Output = AsyncDropGuard<O, S>>,
    &'a AsyncDropShared<O, Fut, S>: IntoFuture,
{
    type Output = <&'a AsyncDropShared<O, Fut, S> as IntoFuture>::Output;
    type IntoFuture = <&'a AsyncDropShared<O, Fut, S> as IntoFuture>::IntoFuture;

    #[track_caller]
    fn into_future(self) -> Self::IntoFuture {
        (&*self).into_future()
    }
}

/// As for a reference to the handle.
///
/// # Panics
///
/// If the handle was cleaned up before.
impl<'a, O, Fut, S, G> IntoFuture for &'a AsyncDropGuard<AsyncDropShared<O, Fut, S>, G>
where
    S: State,
    G: Holds,
    Fut: Future<Output = AsyncDropGuard<O, S>>,
    &'a AsyncDropShared<O, Fut, S>: IntoFuture,
{
    type Output = <&'a AsyncDropShared<O, Fut, S> as IntoFuture>::Output;
    type IntoFuture = <&'a AsyncDropShared<O, Fut, S> as IntoFuture>::IntoFuture;

    #[track_caller]
    fn into_future(self) -> Self::IntoFuture {
        (&**self).into_future()
    }
}
