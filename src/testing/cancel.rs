//! `cancel_after` and `at_every_poll`: drop a future after a number of polls.

use std::future::poll_fn;
use std::panic::Location;
use std::pin::pin;
use std::task::Poll;

use super::leaks::Watch;
use crate::ReaperHandle;

/// Polls `future` at most `polls` times, and drops it. Returns its output if it has ended by then.
///
/// It cancels as a timeout or a `select!` does, at a point that the test chooses. Between two polls it waits
/// until the future is woken. After the last poll it drops the future at once.
///
/// # Examples
///
/// A cleanup that may be cancelled must be able to begin again. This test cancels it at every point, and calls it
/// again:
///
/// ```
/// use livedrop::testing::cancel_after;
/// # use livedrop::AsyncDropGuard;
/// # fn open() -> AsyncDropGuard<impl livedrop::AsyncDrop<Error = std::convert::Infallible>> {
/// #     AsyncDropGuard::with_cleanup((), |()| async { tokio::task::yield_now().await })
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
///
/// for polls in 0.. {
///     let mut connection = open();
///     if cancel_after(polls, connection.async_drop()).await.is_some() {
///         break; // it has ended, so every earlier point was tested
///     }
///     assert!(connection.async_drop().await.is_ok(), "after {polls} polls");
/// }
/// # }
/// ```
pub async fn cancel_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|cx| {
        if left > 0 {
            left -= 1;
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
        }
        if left == 0 { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

/// Runs `body` and drops its future after 0 polls, then after 1 poll, and so on, until it ends. Panics if a
/// run leaves anything.
///
/// Each run is one of [`leaks`](super::leaks()), with a reaper of its own. So if a guard that is not adopted lives
/// across an `.await`, one of the runs panics with a list, which names the number of polls. The output is that
/// of the last run, which is not dropped.
///
/// An adopted cleanup begins once and ends once, whatever the number of polls. Whether a cleanup does its work,
/// this cannot see. Count that in the test, over all runs: what was opened, and what was closed.
///
/// `body` must be able to run again: a future of `n` polls runs `n + 1` times. With a paused clock, as
/// `#[tokio::test(start_paused = true)]` has it, timers take no time.
///
/// # Panics
///
/// If the list of a run is not empty. If the body panics.
///
/// # Examples
///
/// ```
/// use livedrop::testing::at_every_poll;
/// use livedrop::with_async_drop;
/// # use std::io;
/// # use livedrop::{AsyncDropGuard, ReaperHandle};
/// # struct Connection;
/// # impl Connection {
/// #     async fn open() -> io::Result<AsyncDropGuard<Connection>> { Ok(AsyncDropGuard::new(Connection)) }
/// #     async fn ping(&mut self) -> io::Result<u32> { tokio::task::yield_now().await; Ok(7) }
/// # }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { tokio::task::yield_now().await; Ok(()) }
/// # }
///
/// // #[tokio::test]
/// async fn a_cancelled_ping_leaves_nothing() {
///     let answer = at_every_poll(async |reaper| {
///         let connection = reaper.acquire(Connection::open()).await?;
///         with_async_drop(connection, async |connection| connection.ping().await).await
///     });
///     assert_eq!(answer.await.unwrap(), 7);
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(a_cancelled_ping_leaves_nothing());
/// ```
#[track_caller]
pub fn at_every_poll<R>(body: impl AsyncFn(ReaperHandle) -> R) -> impl Future<Output = R> {
    let site = Location::caller();
    async move {
        let mut polls = 0;
        loop {
            let watch = Watch::new(format!("at_every_poll ({site})"));
            let reaper = watch.handle();
            let ended = watch.drive(cancel_after(polls, async { body(reaper).await })).await;
            let what = match ended {
                Ok(None) if polls == 1 => ", dropped after 1 poll".to_owned(),
                Ok(None) => format!(", dropped after {polls} polls"),
                Ok(Some(_)) | Err(_) => format!(", ended at poll {polls}"),
            };
            if let Some(output) = watch.end(&what, ended) {
                return output;
            }
            polls += 1;
        }
    }
}
