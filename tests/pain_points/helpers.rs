//! Threads and runtimes, background tasks, `defer`, concurrency, streams.

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread::{self, ThreadId};

use async_trait::async_trait;
use futures::{Stream, StreamExt};
use livedrop::collections::{AsyncDropHashMap, AsyncDropStack, AsyncDropVec, ErasedError};
use livedrop::{AsyncDrop, AsyncDropGuard, CleanupErrors, Reaper, async_drop_all, with_async_drop};
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;

use crate::support::{Resource, block_on, cancel_after, panic_of, run, wait};
use crate::{AtOnce, log, runtime, within_a_minute};

#[test]
fn p3_dropping_does_not_block_the_thread_that_the_cleanup_needs() {
    /// A client whose cleanup waits for a task on the same thread. There is only one.
    struct Client {
        bye: Option<oneshot::Sender<()>>,
        answer: oneshot::Receiver<()>,
    }

    #[async_trait]
    impl AsyncDrop for Client {
        type Error = oneshot::error::RecvError;

        async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
            self.bye.take().into_iter().for_each(|bye| bye.send(()).expect("the peer listens"));
            (&mut self.answer).await
        }
    }

    fn connect() -> AsyncDropGuard<Client> {
        let (bye, received_bye) = oneshot::channel();
        let (answers, answer) = oneshot::channel();
        tokio::spawn(async move {
            received_bye.await.expect("the client says goodbye");
            answers.send(()).expect("the client waits for the answer");
        });
        AsyncDropGuard::new(Client { bye: Some(bye), answer })
    }

    within_a_minute(|| {
        runtime().block_on(async {
            let mut reaper = Reaper::new();
            drop(reaper.adopt(connect()));
            assert_eq!(reaper.drain().await.cleaned, 1);
            reaper.async_drop().await.unwrap();

            let blocks = livedrop::testing::SyncDrop::new(connect());
            let _quiet = crate::support::Reports::collect();
            let text = panic_of(|| drop(blocks));
            assert!(text.starts_with("SyncDrop of Client would deadlock"), "{text}");
        });
    });
}

#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn p11_a_background_task_ends_with_its_owner() {
    use std::future::pending;
    use std::time::Duration;

    use livedrop::task::{self, Task, TaskError};
    use tokio::task::yield_now;

    struct Cache {
        refresher: AsyncDropGuard<Task<()>>,
    }

    #[async_trait]
    impl AsyncDrop for Cache {
        type Error = TaskError<Infallible>;

        async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
            self.refresher.async_drop().await
        }
    }

    /// Returns a cache whose background task holds `running`.
    fn cache(running: &Arc<()>, stops_on_request: bool) -> AsyncDropGuard<Cache> {
        let running = Arc::clone(running);
        let refresher = task::spawn(move |stop| async move {
            stop.cancelled().await;
            if !stops_on_request {
                pending::<()>().await;
            }
            drop(running);
        });
        AsyncDropGuard::new(Cache { refresher })
    }

    let running = Arc::new(());
    let mut polite = cache(&running, true);
    yield_now().await;
    assert_eq!(Arc::strong_count(&running), 2);
    polite.async_drop().await.unwrap();
    assert_eq!(Arc::strong_count(&running), 1, "the task was stopped and joined");

    let mut stubborn = cache(&running, false);
    stubborn.refresher.set_deadline(Duration::from_secs(1));
    let error = stubborn.async_drop().await.unwrap_err();
    assert!(matches!(error, TaskError::Aborted(_)), "{error}");
    assert_eq!(Arc::strong_count(&running), 1, "the task was aborted and joined");

    let mut reaper = Reaper::new();
    let owner = reaper.adopt(cache(&running, true));
    let owner = tokio::spawn(async move {
        pending::<()>().await;
        drop(owner);
    });
    yield_now().await;
    owner.abort();
    reaper.async_drop().await.unwrap();
    assert_eq!(Arc::strong_count(&running), 1, "the task was stopped after its owner was aborted");
}

#[test]
fn p12_an_async_defer_and_one_that_borrows() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |what| order.lock().unwrap().push(what);
    let deferred = |what| {
        let order = Arc::clone(&order);
        async move {
            wait(1).await;
            order.lock().unwrap().push(what);
        }
    };

    // A body that borrows local variables, with a cleanup instead of `defer!`.
    let (mut lines, name) = (Vec::new(), String::from("local"));
    let guard = AsyncDropGuard::with_cleanup((), |()| deferred("deferred"));
    let result: Result<usize, Infallible> = block_on(with_async_drop(guard, async |_| {
        wait(1).await;
        lines.push(name.as_str());
        note("body");
        Ok(lines.len())
    }));
    assert_eq!((result, lines), (Ok(1), vec!["local"]));
    assert_eq!(std::mem::take(&mut *order.lock().unwrap()), ["body", "deferred"]);

    // Several deferred futures, on a stack.
    let result: Result<(), CleanupErrors<ErasedError>> =
        block_on(with_async_drop(AsyncDropStack::new(), async |stack| {
            stack.defer(deferred("first"));
            stack.defer(deferred("second"));
            note("body");
            Ok(())
        }));
    result.unwrap();
    assert_eq!(*order.lock().unwrap(), ["body", "second", "first"]);

    // A value of another crate, closed by value.
    let mut foreign = AsyncDropGuard::with_cleanup(tokio::io::empty(), |mut writer| async move {
        writer.shutdown().await
    });
    block_on(foreign.async_drop()).unwrap();
}

#[test]
fn p15_cleanups_run_at_the_same_time_bounded_on_request_and_nested_ones_cannot_starve() {
    /// Returns a guard whose cleanup waits, and is counted in `at_once` meanwhile.
    fn waiting(at_once: &Arc<AtOnce>) -> AsyncDropGuard<impl AsyncDrop<Error = Infallible> + Send> {
        AsyncDropGuard::with_cleanup(Arc::clone(at_once), |at_once| async move {
            let _running = at_once.enter();
            wait(5).await;
        })
    }
    let at_once = Arc::<AtOnce>::default();
    let mut map = AsyncDropHashMap::new();
    for key in 0..100 {
        map.try_insert(key, waiting(&at_once)).expect("a new key");
    }
    block_on(map.async_drop()).unwrap();
    assert_eq!(at_once.most(), 100);

    let at_once = Arc::<AtOnce>::default();
    let mut bounded = AsyncDropVec::new();
    bounded.set_concurrency(8).extend((0..100).map(|_| waiting(&at_once)));
    block_on(bounded.async_drop()).unwrap();
    assert_eq!(at_once.most(), 8);

    let at_once = Arc::<AtOnce>::default();
    let all = async_drop_all((waiting(&at_once), waiting(&at_once), waiting(&at_once)));
    block_on(all).unwrap();
    assert_eq!(at_once.most(), 3);

    // Nested vectors do not share a limit: the inner cleanups run while the outer one waits.
    let at_once = Arc::<AtOnce>::default();
    let mut outer = AsyncDropVec::new();
    outer.set_concurrency(1);
    for _ in 0..3 {
        let mut inner = AsyncDropVec::new();
        inner.set_concurrency(1).extend((0..3).map(|_| waiting(&at_once)));
        outer.push(inner);
    }
    let (_, result) = run(outer.async_drop());
    result.unwrap();
    assert_eq!(at_once.most(), 1);
}

#[tokio::test]
async fn p16_it_is_dropped_in_async_context_and_has_no_runtime_and_no_thread() {
    fn whereabouts(
        seen: &Arc<Mutex<Vec<ThreadId>>>,
    ) -> AsyncDropGuard<impl AsyncDrop<Error = Infallible> + Send + use<>> {
        AsyncDropGuard::with_cleanup(Arc::clone(seen), |seen| async move {
            wait(2).await;
            seen.lock().unwrap().push(thread::current().id());
        })
    }

    assert!(panic_of(|| drop(runtime())).contains("Cannot drop a runtime"), "the complaint");

    let seen = Arc::default();
    let mut reaper = Reaper::new();
    drop(reaper.run());
    drop(reaper.handle());
    cancel_after(0, reaper.drain());
    let mut guard = AsyncDropGuard::new(Resource::plain(&log()));
    guard.async_drop().await.unwrap();
    drop(guard);
    reaper.async_drop().await.unwrap();
    drop(reaper);

    // Without a runtime, the thread that polls `drain` runs the cleanups.
    let here = thread::spawn(move || {
        let mut reaper = Reaper::new();
        for _ in 0..3 {
            drop(reaper.adopt(whereabouts(&seen)));
        }
        assert_eq!(run(reaper.drain()).1.cleaned, 3);
        run(reaper.async_drop()).1.unwrap();
        let seen = seen.lock().unwrap();
        assert_eq!(*seen, [thread::current().id(); 3]);
    });
    here.join().unwrap();
}

/// A message bus that counts its subscriptions.
#[derive(Clone, Default)]
struct Bus {
    subscriptions: Arc<AtomicUsize>,
}

struct Subscription {
    bus: Bus,
    last_signal: u32,
}

impl Bus {
    fn subscribe(&self) -> AsyncDropGuard<Subscription> {
        self.subscriptions.fetch_add(1, SeqCst);
        AsyncDropGuard::new(Subscription { bus: self.clone(), last_signal: 0 })
    }

    fn subscriptions(&self) -> usize {
        self.subscriptions.load(SeqCst)
    }
}

impl Stream for Subscription {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u32>> {
        self.last_signal += 1;
        Poll::Ready(Some(self.last_signal))
    }
}

#[async_trait]
impl AsyncDrop for Subscription {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        wait(2).await;
        self.bus.subscriptions.fetch_sub(1, SeqCst);
        Ok(())
    }
}

#[test]
fn p32_a_subscription_is_a_stream_and_its_end_is_awaited() {
    let (bus, mut reaper) = (Bus::default(), Reaper::new());
    block_on(async {
        let mut signals = bus.subscribe();
        assert_eq!(signals.next().await, Some(1));
        assert_eq!((&mut signals).take(2).collect::<Vec<_>>().await, [2, 3]);
        signals.async_drop().await.unwrap();
        assert_eq!(bus.subscriptions(), 0, "unsubscribed when `async_drop` returns");

        // An adapter owns the guard, and is dropped with it.
        let mut even = reaper.adopt(bus.subscribe()).filter(|signal| ready(signal % 2 == 0));
        assert_eq!(even.next().await, Some(2));
        drop(even);
        reaper.async_drop().await.unwrap();
        assert_eq!(bus.subscriptions(), 0);
    });
}
