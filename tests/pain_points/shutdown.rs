//! A program ends, or a value is opened again, while other values are not closed yet.

use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use livedrop::collections::{AsyncDropCache, AsyncDropStack};
use livedrop::reaper::{Stage, TryAcquireError};
use livedrop::sync::AsyncDropArc;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, ReaperHandle};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use crate::support::{Resource, block_on, cancel_after, wait};
use crate::{AtOnce, Server, log, runtime};

#[test]
fn p4_a_shutdown_waits_for_every_cleanup() {
    struct SpawnsInDrop(Arc<AtomicUsize>);

    impl Drop for SpawnsInDrop {
        fn drop(&mut self) {
            let cleaned = Arc::clone(&self.0);
            tokio::spawn(async move { cleaned.fetch_add(1, SeqCst) });
        }
    }

    let cleaned = Arc::<AtomicUsize>::default();
    runtime().block_on(async { drop(SpawnsInDrop(Arc::clone(&cleaned))) });
    assert_eq!(
        cleaned.load(SeqCst),
        0,
        "the complaint: the runtime was dropped before the cleanup ran"
    );

    let (log, mut reaper) = (log(), Reaper::new());
    let runtime = runtime();
    runtime.block_on(async {
        for _ in 0..10 {
            let guard = reaper.adopt(AsyncDropGuard::new(Resource::plain(&log)));
            tokio::spawn(async move {
                pending::<()>().await;
                drop(guard);
            });
        }
        yield_now().await;
    });
    drop(runtime); // drops the ten tasks, too
    block_on(reaper.async_drop()).unwrap();
    assert_eq!(log.counts(), (10, 10, 10));
}

/// A store that can be open only once at a time.
#[derive(Clone, Default)]
struct Store(Arc<AtomicUsize>);

struct Opened(Store);

impl Store {
    fn open(&self) -> Result<AsyncDropGuard<Opened>, &'static str> {
        match self.0.swap(1, SeqCst) {
            0 => Ok(AsyncDropGuard::new(Opened(self.clone()))),
            _ => Err("locked by another process"),
        }
    }
}

#[async_trait]
impl AsyncDrop for Opened {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        wait(3).await;
        self.0.0.store(0, SeqCst);
        Ok(())
    }
}

#[test]
fn p5_who_opens_the_same_thing_next_finds_it_closed() {
    block_on(async {
        let (store, mut reaper) = (Store::default(), Reaper::new());
        let mut first = store.open().unwrap();
        first.async_drop().await.unwrap();
        let second = store.open().expect("the cleanup was awaited");
        drop(reaper.adopt(second));
        assert_eq!(store.open().err(), Some("locked by another process"), "the complaint");
        assert_eq!(reaper.drain().await.cleaned, 1);
        let mut third = store.open().expect("after `drain`, no cleanup is running");
        third.async_drop().await.unwrap();
        reaper.async_drop().await.unwrap();
    });
}

#[tokio::test(start_paused = true)]
async fn p10_a_shutdown_on_a_current_thread_runtime_ends_or_says_what_it_waits_for() {
    /// Telemetry whose cleanup waits for a task on the same thread. There is only one.
    struct Telemetry {
        flush: Arc<Notify>,
        flushed: Arc<Notify>,
    }

    #[async_trait]
    impl AsyncDrop for Telemetry {
        type Error = Infallible;

        async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
            self.flush.notify_one();
            self.flushed.notified().await;
            Ok(())
        }
    }

    let (flush, flushed, network) = (Arc::<Notify>::default(), Arc::default(), Arc::default());
    let exporter: (Arc<Notify>, Arc<Notify>, Arc<Notify>) =
        (Arc::clone(&flush), Arc::clone(&flushed), Arc::clone(&network));
    tokio::spawn(async move {
        exporter.0.notified().await;
        exporter.2.notified().await; // the collector cannot be reached for a while
        exporter.1.notify_one();
    });
    let mut reaper = Reaper::new();
    let line = line!() + 1;
    drop(reaper.adopt(AsyncDropGuard::new(Telemetry { flush, flushed })));

    assert!(timeout(Duration::from_secs(5), reaper.drain()).await.is_err());
    let waited_for = reaper.pending();
    assert_eq!(waited_for.len(), 1);
    assert_eq!((&*waited_for[0].type_name, waited_for[0].stage), ("Telemetry", Stage::Orphaned));
    if let Some(site) = waited_for[0].created_at {
        assert_eq!((site.file(), site.line()), (file!(), line));
    }

    network.notify_one();
    let report = timeout(Duration::from_secs(5), reaper.drain()).await.expect("it can be reached");
    assert_eq!(report.cleaned, 1);
    reaper.async_drop().await.unwrap();
}

/// A part of a service. Its cleanup waits `waits` times.
struct Part {
    name: &'static str,
    waits: usize,
    removed: Arc<Mutex<Vec<&'static str>>>,
}

#[async_trait]
impl AsyncDrop for Part {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        wait(self.waits).await;
        self.removed.lock().unwrap().push(self.name);
        Ok(())
    }
}

#[test]
fn p23_things_are_shut_down_in_the_right_order() {
    let removed = Arc::<Mutex<Vec<_>>>::default();
    let part =
        |name, waits| AsyncDropGuard::new(Part { name, waits, removed: Arc::clone(&removed) });
    let (network, container) = (|| part("network", 1), || part("container", 3));
    let right = ["container", "network"];
    let expect = |order: [&str; 2]| {
        assert_eq!(std::mem::take(&mut *removed.lock().unwrap()), order);
    };

    // An aborted task drops its locals in the right order, and that is not enough.
    let mut reaper = Reaper::new();
    let locals = (reaper.adopt(container()), reaper.adopt(network()));
    drop(locals);
    block_on(reaper.drain()).into_result().unwrap();
    expect(["network", "container"]); // the complaint

    let ordered = reaper.ordered();
    let locals = (ordered.adopt(container()), ordered.adopt(network()));
    drop(locals);
    block_on(reaper.async_drop()).unwrap();
    expect(right);

    let mut stack = AsyncDropStack::new();
    stack.push(network());
    stack.push(container());
    block_on(stack.async_drop()).unwrap();
    expect(right);

    #[cfg(feature = "derive")]
    {
        #[derive(AsyncDrop)]
        struct Service {
            container: AsyncDropGuard<Part>,
            network: AsyncDropGuard<Part>,
        }
        let service = Service { container: container(), network: network() };
        block_on(AsyncDropGuard::new(service).async_drop()).unwrap();
        expect(right);
    }

    // One reaper a phase, for values that different tasks own.
    let (mut containers, mut networks) = (Reaper::new(), Reaper::new());
    drop(networks.adopt(network()));
    drop(containers.adopt(container()));
    block_on(containers.async_drop()).unwrap();
    block_on(networks.async_drop()).unwrap();
    expect(right);
}

#[tokio::test(start_paused = true)]
async fn p27_a_backlog_that_moves_is_finished_and_floods_no_server() {
    /// Ends as soon as nothing was cleaned up for `patience`.
    async fn stall(reaper: ReaperHandle, patience: Duration) {
        let mut before = usize::MAX;
        loop {
            let left = reaper.pending().len();
            if left == before {
                return;
            }
            before = left;
            sleep(patience).await;
        }
    }

    /// Returns a reaper with 100 orphans. The cleanup of each takes a second.
    fn backlog(at_once: &Arc<AtOnce>) -> AsyncDropGuard<Reaper> {
        let reaper = Reaper::new();
        for _ in 0..100 {
            let session = AsyncDropGuard::with_cleanup(Arc::clone(at_once), |at_once| async move {
                let _running = at_once.enter();
                sleep(Duration::from_secs(1)).await;
            });
            drop(reaper.adopt(session));
        }
        reaper
    }

    let at_once = Arc::default();
    Reaper::shutdown(backlog(&at_once), pending::<()>()).await.into_result().unwrap();
    assert_eq!(at_once.most(), 100, "the complaint: all logouts at the same time");

    let reaper = backlog(&Arc::default());
    reaper.set_concurrency(8);
    let report = Reaper::shutdown(reaper, sleep(Duration::from_secs(10))).await;
    assert!(report.abandoned.len() > 10, "the complaint: one deadline for all: {report}");

    let at_once = Arc::default();
    let reaper = backlog(&at_once);
    reaper.set_concurrency(8);
    let deadline = stall(reaper.handle(), Duration::from_secs(5));
    let report = Reaper::shutdown(reaper, deadline).await;
    assert_eq!((report.cleaned, report.abandoned.len(), at_once.most()), (100, 0, 8));

    let reaper = backlog(&Arc::default());
    drop(reaper.adopt(AsyncDropGuard::with_cleanup((), |()| pending::<()>())));
    let deadline = stall(reaper.handle(), Duration::from_secs(5));
    let report = Reaper::shutdown(reaper, deadline).await;
    assert_eq!((report.cleaned, report.abandoned.len()), (100, 1), "one that does not move");
}

#[test]
fn p30_no_lease_is_handed_out_during_a_shutdown() {
    block_on(async {
        let (server, mut reaper) = (Server::default(), Reaper::new());
        let mut early = Box::pin(reaper.try_acquire(server.clone().connect()));
        cancel_after(1, &mut early);
        let handle = reaper.handle();
        let mut shutdown = Box::pin(reaper.async_drop());
        cancel_after(1, &mut shutdown);

        let late = handle.try_acquire(server.clone().connect()).await;
        assert!(matches!(late, Err(TryAcquireError::Closed)));
        assert_eq!(server.sessions(), 1, "only the early one has connected");

        // The shutdown waits for the early one, which has its lease.
        let mut lease = early.await.unwrap();
        cancel_after(1, &mut shutdown);
        lease.async_drop().await.unwrap();
        shutdown.await.unwrap();
        assert_eq!(server.sessions(), 0);

        let late = handle.acquire(server.clone().connect()).await;
        assert_eq!(server.sessions(), 1, "the complaint: nobody waits for this lease");
        late.unwrap().async_drop().await.unwrap();
    });
}

#[tokio::test]
async fn p31_reopening_waits_for_the_close_of_the_same_thing() {
    let (store, mut reaper) = (Store::default(), Reaper::new());
    let running = tokio::spawn(reaper.run());
    let open = || {
        let store = store.clone();
        async move { store.open() }
    };

    let stores = AsyncDropCache::adopted(&reaper);
    let opened = stores.get("a", open()).await.unwrap();
    drop(opened); // its task was aborted: the reaper closes the store
    assert_eq!(store.open().err(), Some("locked by another process"), "the complaint");
    let reopened = stores.get("a", open()).await.expect("`get` waits for the close");

    // The same without a cache.
    let closed = AsyncDropArc::downgrade(&reopened);
    drop(reopened);
    assert_eq!(store.open().err(), Some("locked by another process"));
    closed.gone().await;
    let mut last = store.open().expect("`gone` waits for the close");
    last.async_drop().await.unwrap();

    reaper.async_drop().await.unwrap();
    running.await.unwrap();
}
