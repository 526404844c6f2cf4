//! `AsyncDropShared`: several handles await one future of a guarded value.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run,
};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{BoxFuture, join};
use livedrop::state::State;
use livedrop::sync::{AsyncDropArc, AsyncDropShared, TaskPanicked};
use livedrop::{
    Adopted, AsyncDrop, AsyncDropGuard, Checked, Live, Reaper, ReaperHandle, scope, testing,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};

type Of<S> = AsyncDropShared<Resource, BoxFuture<'static, AsyncDropGuard<Resource, S>>, S>;
assert_impl_all!(Of<Checked>: Send, Sync, Unpin, std::fmt::Debug);
assert_impl_all!(Of<Live>: Send, Sync, Unpin, std::fmt::Debug);
assert_not_impl_any!(Of<Checked>: Clone);
assert_impl_all!(TaskPanicked: Send, Sync, Clone, std::error::Error);

/// How often the future waits, and how often it is polled.
const OPENS: usize = 2;
const POLLS_TO_OPEN: usize = OPENS + 1;
/// The polls of the last handle's cleanup. The future's last poll is also the first of the value's cleanup.
const POLLS_IN_ALL: usize = OPENS + 4;

/// A future that counts its polls, waits, and then makes the guard or panics.
struct Opening<S: State> {
    polls: Arc<AtomicUsize>,
    waits: usize,
    open: Option<Box<dyn FnOnce() -> AsyncDropGuard<Resource, S> + Send>>,
}

impl<S: State> Future for Opening<S> {
    type Output = AsyncDropGuard<Resource, S>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.polls.fetch_add(1, SeqCst);
        if self.waits > 0 {
            self.waits -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.open.take().expect("polled after its end")())
    }
}

/// Tests for a future that gives a `Checked` guard, and for one that gives a `Live` guard. The handles
/// are always in `Checked` guards, so that their cleanup can be called again.
macro_rules! in_either_state {
    ($state:ident, $S:ty, $make:expr, |$handle:ident| $checked:expr) => {
        mod $state {
            use super::*;

            type Handle = AsyncDropGuard<AsyncDropShared<Resource, Opening<$S>, $S>>;
            type Task = AsyncDropShared<Resource, Opening<$S>, $S>;

            fn checked<T: AsyncDrop>($handle: AsyncDropGuard<T, $S>) -> AsyncDropGuard<T> {
                $checked
            }

            fn opening(log: &Arc<Log>, ending: Ending) -> (Arc<AtomicUsize>, Opening<$S>) {
                let (log, polls) = (Arc::clone(log), Arc::default());
                let open = Some(Box::new(move || $make(Resource::new(&log, 3, ending))) as Box<_>);
                (Arc::clone(&polls), Opening { polls, waits: OPENS, open })
            }

            fn shared(log: &Arc<Log>, ending: Ending) -> (Arc<AtomicUsize>, Handle) {
                let (polls, opening) = opening(log, ending);
                (polls, checked(AsyncDropShared::new(opening)))
            }

            fn clone(handle: &Handle) -> Handle {
                checked(AsyncDropShared::clone(handle))
            }

            /// A handle whose future panics.
            fn panicking(waits: usize) -> (Arc<AtomicUsize>, Handle) {
                let polls = Arc::default();
                let open =
                    Some(Box::new(|| -> AsyncDropGuard<_, $S> { panic!("cannot open") }) as Box<_>);
                let opening = Opening { polls: Arc::clone(&polls), waits, open };
                (polls, checked(AsyncDropShared::new(opening)))
            }

            #[test]
            fn the_future_runs_once_for_all_waiters() {
                let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                let (polls, mut first) = shared(&log, Ending::Ok);
                let mut second = clone(&first);
                assert_eq!(polls.load(SeqCst), 0);
                let (one, two) = run(join(first.get(), second.get())).1;
                let (mut one, mut two) = (checked(one.unwrap()), checked(two.unwrap()));
                assert_eq!(polls.load(SeqCst), POLLS_TO_OPEN);
                assert!(AsyncDropArc::ptr_eq(&one, &two));
                assert_eq!(one.touch(), 3);
                let mut three = checked(first.get().now_or_never().unwrap().unwrap());

                assert_eq!(run(three.async_drop()), (1, Ok(())));
                assert_eq!(run(one.async_drop()), (1, Ok(())));
                assert_eq!(run(first.async_drop()), (1, Ok(())));
                assert_eq!(run(two.async_drop()), (1, Ok(())));
                assert_eq!(log.counts(), (0, 0, 0));
                assert_eq!(run(second.async_drop()), (4, Ok(())));
                assert_eq!(log.counts(), (1, 1, 1));
                assert_eq!(polls.load(SeqCst), POLLS_TO_OPEN);
                reports.expect_none();
            }

            #[test]
            fn cleaned_last_handle_leaves_the_value_to_arcs() {
                let log = Arc::new(Log::default());
                let mut handle = shared(&log, Ending::Ok).1;
                let mut value = checked(block_on(handle.get()).unwrap());
                assert_eq!(AsyncDropArc::strong_count(&value), 2);
                assert_eq!(run(handle.async_drop()), (1, Ok(())));
                assert_eq!(AsyncDropArc::strong_count(&value), 1);
                assert_eq!((value.touch(), log.counts()), (3, (0, 0, 0)));
                assert_eq!(run(value.async_drop()), (4, Ok(())));
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn value_can_be_taken_out_when_unshared() {
                let log = Arc::new(Log::default());
                let mut handle = shared(&log, Ending::Ok).1;
                let value = block_on(handle.get()).unwrap();
                let value = AsyncDropArc::into_inner(value).unwrap_err();
                block_on(handle.async_drop()).unwrap();
                let value: AsyncDropGuard<Resource, $S> = AsyncDropArc::into_inner(value).unwrap();
                assert_eq!(log.counts(), (0, 0, 0));
                block_on(checked(value).async_drop()).unwrap();
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn cleanup_of_the_last_handle_awaits_the_future() {
                for waited in 0..POLLS_TO_OPEN {
                    let log = Arc::new(Log::default());
                    let (polls, mut handle) = shared(&log, Ending::Ok);
                    let mut other = clone(&handle);
                    cancel_after(waited, handle.get());
                    assert_eq!(run(other.async_drop()), (1, Ok(())));
                    assert_eq!(run(handle.async_drop()), (POLLS_IN_ALL - waited, Ok(())));
                    assert_eq!(log.counts(), (1, 1, 1));
                    assert_eq!(polls.load(SeqCst), POLLS_TO_OPEN);
                }
            }

            #[test]
            fn cancelled_anywhere_and_called_again_cleans_up_once() {
                for cancelled in 0..POLLS_IN_ALL {
                    let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                    let (polls, mut handle) = shared(&log, Ending::Ok);
                    cancel_after(cancelled, handle.async_drop());
                    assert!(!handle.is_dropped());
                    let in_cleanup = cancelled >= POLLS_TO_OPEN;
                    assert_eq!(log.counts(), (usize::from(in_cleanup), 0, 0));
                    let rest = if in_cleanup { 4 } else { POLLS_IN_ALL - cancelled };
                    assert_eq!(run(handle.async_drop()), (rest, Ok(())));
                    assert_eq!(log.counts(), (1 + usize::from(in_cleanup), 1, 1));
                    assert_eq!(polls.load(SeqCst), POLLS_TO_OPEN);
                    drop(handle);
                    reports.expect_none();
                }
            }

            #[test]
            fn handle_is_usable_after_a_cancelled_early_cleanup() {
                for cancelled in 1..POLLS_TO_OPEN {
                    let log = Arc::new(Log::default());
                    let mut handle = shared(&log, Ending::Ok).1;
                    cancel_after(cancelled, handle.async_drop());
                    let mut value = checked(block_on(handle.get()).unwrap());
                    let mut other = clone(&handle);
                    assert_eq!(Task::strong_count(&handle), 2);
                    block_on(value.async_drop()).unwrap();
                    block_on(handle.async_drop()).unwrap();
                    assert_eq!(log.counts(), (0, 0, 0));
                    block_on(other.async_drop()).unwrap();
                    assert_eq!(log.counts(), (1, 1, 1));
                }
            }

            #[test]
            fn handle_is_unusable_after_its_values_cleanup_began() {
                let log = Arc::new(Log::default());
                let mut handle = shared(&log, Ending::Ok).1;
                cancel_after(POLLS_IN_ALL - 1, handle.async_drop());
                let refused = |text: String, attempt| {
                    assert!(text.starts_with(&format!("{attempt} AsyncDropShared<Resource, ")));
                    assert!(text.ends_with("after its cleanup had begun"), "{text}");
                };
                refused(panic_of(|| handle.get().now_or_never().is_some()), "awaited");
                refused(panic_of(|| handle.peek().is_some()), "peeked at");
                refused(panic_of(|| clone(&handle)), "cloned");
                assert_eq!(Task::strong_count(&handle), 1);
                assert!(!Task::ptr_eq(&handle, &handle));
                assert_eq!(format!("{:?}", *handle), "<Resource: cleanup has begun>");
                block_on(handle.async_drop()).unwrap();
            }

            #[test]
            fn cancelled_waiter_loses_nothing() {
                let (log, (sender, receiver)) = (Arc::new(Log::default()), oneshot::channel());
                let in_future = Arc::clone(&log);
                let mut handle = checked(AsyncDropShared::new(async move {
                    receiver.await.unwrap();
                    $make(Resource::plain(&in_future))
                }));
                let mut value = block_on(async {
                    let (mut first, mut second) = (Box::pin(handle.get()), Box::pin(handle.get()));
                    // The first waiter polls the future, and is dropped before the future wakes it.
                    assert!((&mut first).now_or_never().is_none());
                    assert!((&mut second).now_or_never().is_none());
                    drop(first);
                    thread::spawn(move || {
                        thread::sleep(Duration::from_millis(5));
                        sender.send(()).unwrap();
                    });
                    checked(second.await.unwrap())
                });
                block_on(value.async_drop()).unwrap();
                block_on(handle.async_drop()).unwrap();
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn leaked_waiter_does_not_prevent_the_cleanup() {
                for waited in 0..=POLLS_TO_OPEN {
                    let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                    let mut handle = shared(&log, Ending::Ok).1;
                    let mut waiter = Box::pin(handle.get());
                    for _ in 0..waited {
                        if let Some(Ok(value)) = (&mut waiter).now_or_never() {
                            block_on(checked(value).async_drop()).unwrap();
                        }
                    }
                    std::mem::forget(waiter);
                    block_on(handle.async_drop()).unwrap();
                    assert_eq!(log.counts(), (1, 1, 1));
                    reports.expect_none();
                }
            }

            #[test]
            fn panic_of_the_future_is_every_waiters_error() {
                for waits in 0..3 {
                    let reports = Reports::collect();
                    let (polls, mut first) = panicking(waits);
                    let mut second = clone(&first);
                    let (one, two) = run(join(first.get(), second.get())).1;
                    let late = run(first.get()).1;
                    for result in [one, two, late] {
                        let panicked = result.unwrap_err();
                        assert_eq!(panicked.message(), "cannot open");
                        let text = "the shared future panicked: cannot open";
                        assert_eq!(panicked.to_string(), text);
                    }
                    assert!(matches!(first.peek(), Some(Err(_))));
                    assert_eq!(run(first.async_drop()), (1, Ok(())));
                    assert_eq!(run(second.async_drop()), (1, Ok(())));
                    assert_eq!(polls.load(SeqCst), waits + 1);
                    reports.expect_none();
                }
            }

            #[test]
            fn references_to_a_handle_can_be_awaited() {
                let log = Arc::<Log>::default();
                let (polls, mut handle) = shared(&log, Ending::Ok);
                block_on(async {
                    let mut arcs = [
                        checked((&handle).await),
                        checked((&*handle).await),
                        checked((&mut *handle).await),
                    ];
                    assert_eq!(polls.load(SeqCst), POLLS_TO_OPEN);
                    assert_eq!(arcs.iter().map(|arc| arc.touch()).sum::<usize>(), 9);
                    handle.async_drop().await.unwrap();
                    for arc in &mut arcs {
                        assert_eq!(log.counts(), (0, 0, 0));
                        arc.async_drop().await.unwrap();
                    }
                });
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn awaited_reference_panics_if_the_future_did() {
                let (_, mut handle) = panicking(1);
                for _ in 0..2 {
                    let text = panic_of(|| block_on(async { (&handle).await }));
                    assert_eq!(text, "the shared future panicked: cannot open");
                }
                block_on(handle.async_drop()).unwrap();
            }

            #[test]
            fn unobserved_panic_of_the_future_is_resumed() {
                for waits in 0..3 {
                    let reports = Reports::collect();
                    let (polls, mut handle) = panicking(waits);
                    let text = panic_of(|| block_on(handle.async_drop()));
                    assert_eq!(text, "the shared future panicked: cannot open");
                    assert!(handle.is_dropped());
                    assert_eq!(run(handle.async_drop()), (1, Ok(())));
                    assert_eq!(polls.load(SeqCst), waits + 1);
                    reports.expect_none();
                }
            }

            #[test]
            fn value_survives_a_panic_in_the_futures_drop() {
                struct PanicsInDrop<F>(F);
                impl<F: Future + Unpin> Future for PanicsInDrop<F> {
                    type Output = F::Output;
                    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
                        self.0.poll_unpin(cx)
                    }
                }
                impl<F> Drop for PanicsInDrop<F> {
                    fn drop(&mut self) {
                        panic!("in drop");
                    }
                }
                let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                let future = PanicsInDrop(opening(&log, Ending::Ok).1);
                let mut handle = checked(AsyncDropShared::new(future));
                let mut value = checked(block_on(handle.get()).unwrap());
                reports.expect_one("cleanup of Resource failed as well: panicked: in drop");
                block_on(value.async_drop()).unwrap();
                block_on(handle.async_drop()).unwrap();
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn failing_cleanup_is_the_last_handles_error() {
                let log = Arc::new(Log::default());
                let mut first = shared(&log, Ending::Err).1;
                let mut second = clone(&first);
                assert_eq!(block_on(first.async_drop()), Ok(()));
                assert_eq!(block_on(second.async_drop()), Err(Failed));
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn a_panicking_cleanup_is_attempted_once() {
                let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                let mut handle = shared(&log, Ending::Panic).1;
                assert_eq!(panic_of(|| block_on(handle.async_drop())), "cleanup went wrong");
                assert!(handle.is_dropped());
                drop(handle);
                assert_eq!(log.counts(), (1, 0, 1));
                reports.expect_none();
            }

            #[test]
            fn ready_value_is_shared_at_once() {
                let log = Arc::new(Log::default());
                let mut handle: Handle =
                    checked(AsyncDropShared::new_ready($make(Resource::plain(&log))));
                assert_eq!(handle.peek().unwrap().unwrap().touch(), 3);
                let mut value = checked(handle.get().now_or_never().unwrap().unwrap());
                block_on(value.async_drop()).unwrap();
                assert_eq!(run(handle.async_drop()), (4, Ok(())));
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn peek_and_debug_show_the_present_value() {
                let log = Arc::new(Log::default());
                let mut handle = shared(&log, Ending::Ok).1;
                assert!(handle.peek().is_none());
                assert_eq!(format!("{:?}", *handle), "<Resource: not there yet>");
                block_on(checked(block_on(handle.get()).unwrap()).async_drop()).unwrap();
                assert_eq!(handle.peek().unwrap().unwrap().touch(), 3);
                assert_eq!(format!("{:?}", *handle), "a secret");
                block_on(handle.async_drop()).unwrap();

                let mut handle = panicking(0).1;
                assert!(block_on(handle.get()).is_err());
                assert_eq!(format!("{:?}", *handle), "<Resource: its future panicked>");
                block_on(handle.async_drop()).unwrap();
            }

            #[test]
            fn handles_can_be_counted_and_compared() {
                let log = Arc::new(Log::default());
                let (mut first, mut other) =
                    (shared(&log, Ending::Ok).1, shared(&log, Ending::Ok).1);
                let mut second = clone(&first);
                assert!(Task::ptr_eq(&first, &second) && !Task::ptr_eq(&first, &other));
                let waiter = first.get();
                assert_eq!((Task::strong_count(&first), Task::strong_count(&other)), (2, 1));
                drop(waiter);
                block_on(second.async_drop()).unwrap();
                assert_eq!(Task::strong_count(&first), 1);
                block_on(first.async_drop()).unwrap();
                block_on(other.async_drop()).unwrap();
                assert_eq!(log.counts(), (2, 2, 2));
            }

            #[test]
            fn forgotten_handle_panics_and_is_released() {
                let log = Arc::new(Log::default());
                let mut first = shared(&log, Ending::Ok).1;
                let second = clone(&first);
                let text = panic_of(|| drop(second));
                assert!(text.starts_with("Forgot to call async_drop on AsyncDropShared<Resource"));
                block_on(first.async_drop()).unwrap();
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn forgotten_last_handle_drops_the_value_while_unwinding() {
                let (log, reports) = (Arc::new(Log::default()), Reports::collect());
                let handle = shared(&log, Ending::Ok).1;
                drop(checked(block_on(handle.get()).unwrap()));
                reports.expect_one("Forgot to call async_drop on AsyncDropArc<Resource");
                drop(handle);
                let reported = reports.take();
                assert_eq!(reported.len(), 2, "{reported:?}");
                assert!(reported[0].starts_with("Forgot to call async_drop on AsyncDropShared<"));
                assert!(reported[1].starts_with("Forgot to call async_drop on Resource"));
                assert_eq!(log.counts(), (0, 0, 1));
            }

            #[test]
            fn a_future_that_borrows_is_shared_as_well() {
                let log = Arc::new(Log::default());
                let mut handle =
                    checked(AsyncDropShared::new(async { $make(Resource::plain(&log)) }));
                block_on(handle.async_drop()).unwrap();
                assert_eq!(log.counts(), (1, 1, 1));
            }

            #[test]
            fn waiting_and_cleaning_up_are_send() {
                fn is_send(_: &impl Send) {}
                let mut handle = shared(&Arc::new(Log::default()), Ending::Ok).1;
                is_send(&handle.get());
                is_send(&handle.async_drop());
                block_on(handle.async_drop()).unwrap();
            }

            #[test]
            fn many_threads_share_one_cleanup() {
                for _ in 0..200 {
                    let (log, (polls, first)) = {
                        let log = Arc::new(Log::default());
                        (Arc::clone(&log), shared(&log, Ending::Ok))
                    };
                    let handles = [clone(&first), clone(&first), first];
                    thread::scope(|threads| {
                        for (waits, mut handle) in handles.into_iter().enumerate() {
                            threads.spawn(move || {
                                if waits > 0 {
                                    let mut value = checked(block_on(handle.get()).unwrap());
                                    block_on(value.async_drop()).unwrap();
                                }
                                block_on(handle.async_drop()).unwrap();
                            });
                        }
                    });
                    assert_eq!(log.counts(), (1, 1, 1));
                    assert_eq!(polls.load(SeqCst), POLLS_TO_OPEN);
                }
            }
        }
    };
}

in_either_state!(checked, Checked, AsyncDropGuard::new, |handle| handle);
in_either_state!(live, Live, AsyncDropGuard::live, |handle| AsyncDropGuard::into_checked(handle));

#[test]
fn a_live_handle_gives_the_proof() {
    let log = Arc::new(Log::default());
    let in_future = Arc::clone(&log);
    let handle =
        AsyncDropShared::new(async move { AsyncDropGuard::live(Resource::plain(&in_future)) });
    let value = block_on(handle.get()).unwrap();
    let released = block_on(value.async_drop());
    let closed = block_on(handle.async_drop());
    assert_eq!((released.result, closed.result), (Ok(()), Ok(())));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn handles_made_in_a_scope_are_unscoped() {
    let log = Arc::new(Log::default());
    let in_future = Arc::clone(&log);
    let handle =
        AsyncDropShared::new(async move { AsyncDropGuard::live(Resource::plain(&in_future)) });
    let (other, value) = block_on(scope(handle, async |handle| {
        let other = AsyncDropShared::clone(&handle);
        let value = handle.get().await;
        (handle.async_drop().await.proof, (other, value))
    }));
    block_on(other.async_drop()).result.unwrap();
    block_on(value.unwrap().async_drop()).result.unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
}

/// Two owners of adopted handles, each cancelled after every number of polls: in the opening, with the
/// value, in the cleanup of the value, or in the cleanup of the handle.
#[test]
fn adopted_handles_clean_up_once_cancelled_anywhere() {
    type Handle = AsyncDropGuard<AsyncDropShared<Resource, Opening<Checked>>, Adopted>;

    async fn owner(reaper: ReaperHandle, mut shared: Handle) {
        let value = shared.get().await.expect("it opens");
        let mut value = reaper.adopt(value);
        crate::support::wait(1).await;
        shared.async_drop().await.expect("it can be closed");
        crate::support::wait(1).await;
        value.async_drop().await.expect("it can be closed");
    }
    fn handles(reaper: &Reaper, log: &Arc<Log>) -> (Handle, Handle, Arc<AtomicUsize>) {
        let (log, polls) = (Arc::clone(log), Arc::default());
        let open = Box::new(move || AsyncDropGuard::new(Resource::plain(&log))) as Box<_>;
        let opening = Opening { polls: Arc::clone(&polls), waits: OPENS, open: Some(open) };
        let first = reaper.adopt(AsyncDropShared::new(opening));
        let second = reaper.adopt(AsyncDropShared::clone(&first));
        (first, second, polls)
    }
    let (reports, mut left) = (Reports::collect(), 0);
    for polls_of_first in 0..POLLS_IN_ALL + 3 {
        for polls_of_second in 0..POLLS_IN_ALL + 3 {
            let (log, mut reaper) = (Arc::new(Log::default()), Reaper::new());
            let (first, second, polls) = handles(&reaper, &log);
            let mut first = owner(reaper.handle(), first).boxed();
            let mut second = owner(reaper.handle(), second).boxed();
            // Neither is dropped before both were polled.
            let _ended = run(testing::cancel_after(polls_of_first, &mut first));
            let _ended = run(testing::cancel_after(polls_of_second, &mut second));
            drop((first, second));
            let report = block_on(reaper.drain());
            assert!(report.failures.is_empty(), "{report}");
            let at = format!("after {polls_of_first} and {polls_of_second} polls");
            assert_eq!(log.counts(), (1, 1, 1), "{at}");
            assert_eq!(polls.load(SeqCst), POLLS_TO_OPEN, "{at}");
            left += report.cleaned;
            block_on(reaper.async_drop()).unwrap();
        }
    }
    assert!(left > 100, "the reaper had to do with it {left} times");
    reports.expect_none();
}

#[test]
fn lost_guard_is_reported_with_its_creation_site() {
    let (log, reports) = (Arc::new(Log::default()), Reports::collect());
    let line = line!();
    let handle = AsyncDropShared::new(async { AsyncDropGuard::new(Resource::plain(&log)) });
    let other = AsyncDropShared::clone(&handle);
    let value = block_on(handle.get()).unwrap();
    let ready: AsyncDropGuard<Of<Checked>> =
        AsyncDropShared::new_ready(AsyncDropGuard::new(Resource::plain(&log)));
    drop((other, value, handle, ready));
    let reported = reports.take();
    let made = [
        ("AsyncDropShared<Resource", 2),
        ("AsyncDropArc<Resource", 3),
        ("AsyncDropShared<Resource", 1),
        ("Resource", 1),
        ("AsyncDropShared<Resource", 5),
        ("Resource", 5),
    ];
    assert_eq!(reported.len(), made.len(), "{reported:?}");
    for (text, (name, offset)) in reported.iter().zip(made) {
        assert!(text.starts_with(&format!("Forgot to call async_drop on {name}")), "{text}");
        assert!(text.contains(&created_at(file!(), line + offset)), "{text}");
    }
}

#[test]
fn awaited_value_is_created_at_the_await() {
    let (log, reports) = (Arc::new(Log::default()), Reports::collect());
    let mut handle = AsyncDropShared::new(async { AsyncDropGuard::new(Resource::plain(&log)) });
    let line = line!() + 1;
    let value = block_on(async { (&handle).await });
    drop(value);
    block_on(handle.async_drop()).unwrap();
    let reported = reports.take();
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert!(reported[0].contains(&created_at(file!(), line)), "{reported:?}");
}

#[test]
fn handle_released_inside_its_guard_is_not_counted() {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let value = AsyncDropGuard::new(Resource::plain(&log));
    let mut first: AsyncDropGuard<Of<Checked>> = AsyncDropShared::new_ready(value);
    let mut second = AsyncDropShared::clone(&first);
    let inner_value: &mut Of<Checked> = &mut second;
    block_on(inner_value.async_drop_impl()).unwrap();
    let counts = (AsyncDropShared::strong_count(&second), AsyncDropShared::strong_count(&first));
    assert_eq!(counts, (0, 1));
    assert!(!AsyncDropShared::ptr_eq(&first, &second));
    assert_eq!(log.counts(), (0, 0, 0), "it was not the last");
    block_on(second.async_drop()).unwrap();
    assert_eq!(log.counts(), (0, 0, 0), "nor is it the second time");
    block_on(first.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
    reports.expect_none();
}
