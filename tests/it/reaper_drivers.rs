//! Who polls the cleanups of orphans, how many, and in which order.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use futures::FutureExt;
use livedrop::reaper::{CleanupTask, Run};
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Reaper, ReaperHandle, with_async_drop};

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, panic_of, run, wait,
};

fn log() -> Arc<Log> {
    Arc::default()
}

fn resource(log: &Arc<Log>, waits: usize) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(Resource::new(log, waits, Ending::Ok))
}

/// Polls the future once. Nobody hears a wake.
fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    future.poll_unpin(&mut Context::from_waker(Waker::noop()))
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// The names of values, as their cleanups begin and end.
type Diary = Arc<Mutex<Vec<String>>>;

/// A value that writes into the diary.
struct Named {
    name: &'static str,
    waits: usize,
    ending: Ending,
    diary: Diary,
}

impl Named {
    fn write(&self, what: &str) {
        self.diary.lock().unwrap().push(format!("{what} {}", self.name));
    }
}

#[livedrop::unboxed]
impl AsyncDrop for Named {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        self.write("begin");
        wait(self.waits).await;
        self.write("end");
        match self.ending {
            Ending::Ok => Ok(()),
            Ending::Err => Err(Failed),
            Ending::Panic => panic!("cleanup went wrong"),
        }
    }
}

fn named(
    handle: &ReaperHandle,
    diary: &Diary,
    name: &'static str,
    waits: usize,
    ending: Ending,
) -> AsyncDropGuard<Named, Adopted> {
    handle.adopt(AsyncDropGuard::new(Named { name, waits, ending, diary: Arc::clone(diary) }))
}

fn written(diary: &Diary) -> Vec<String> {
    std::mem::take(&mut *diary.lock().unwrap())
}

#[test]
fn a_kept_drain_does_not_stop_a_run() {
    let (log, mut reaper) = (log(), Reaper::new());
    let alive = reaper.adopt(resource(&log, 0));
    let mut drain = reaper.drain();
    drop(reaper.adopt(resource(&log, 1)));
    // The drain begins an orphan, and is not polled again.
    assert!(poll_once(&mut drain).is_pending());
    assert_eq!(log.counts(), (1, 0, 0));
    let mut running = reaper.run();
    for _ in 0..5 {
        drop(reaper.adopt(resource(&log, 0)));
        let _ = poll_once(&mut running);
    }
    assert_eq!(log.counts(), (6, 6, 6), "also the orphan that the drain had begun");
    drop((alive, drain, running));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn drain_polls_nothing_while_a_run_exists() {
    let (log, mut reaper) = (log(), Reaper::new());
    let mut running = reaper.run();
    drop(reaper.adopt(resource(&log, 0)));
    let mut drain = reaper.drain();
    for _ in 0..3 {
        assert!(poll_once(&mut drain).is_pending());
    }
    assert_eq!(log.counts(), (0, 0, 0), "the `run` was not polled");
    let _ = poll_once(&mut running);
    assert_eq!(log.counts(), (1, 1, 1));
    assert_eq!(block_on(drain).cleaned, 1);
    drop(running);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn drain_on_another_thread_leaves_cleanups_to_the_run() {
    /// Notes the thread that polls its cleanup.
    struct ThreadBound(Arc<Mutex<Vec<std::thread::ThreadId>>>);

    #[livedrop::unboxed]
    impl AsyncDrop for ThreadBound {
        type Error = Failed;
        async fn async_drop_impl(&mut self) -> Result<(), Failed> {
            self.0.lock().unwrap().push(std::thread::current().id());
            Ok(())
        }
    }

    let (threads, reaper) = (Arc::default(), Reaper::new());
    let running = reaper.run();
    let runner = std::thread::spawn(move || {
        block_on(running);
        std::thread::current().id()
    });
    for _ in 0..100 {
        drop(reaper.adopt(AsyncDropGuard::new(ThreadBound(Arc::clone(&threads)))));
        assert!(block_on(reaper.drain()).failures.is_empty());
    }
    reaper.close();
    let of_run = runner.join().unwrap();
    assert_eq!(*threads.lock().unwrap(), vec![of_run; 100]);
    let mut reaper = reaper;
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn the_last_run_wakes_every_drain() {
    let (log, mut reaper) = (log(), Reaper::new());
    let (first, second) = (reaper.run(), reaper.run());
    drop(reaper.adopt(resource(&log, 0)));
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let mut drain = reaper.drain();
    assert!(drain.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
    drop(first);
    assert_eq!(woken.0.load(SeqCst), 0);
    drop(second);
    assert_eq!(woken.0.load(SeqCst), 1);
    assert_eq!(block_on(drain).cleaned, 1);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn a_driver_keeps_one_waker() {
    let (log, mut reaper) = (log(), Reaper::new());
    let mut running = reaper.run();
    let wakers: Vec<_> = (0..10).map(|_| Arc::<Woken>::default()).collect();
    for woken in &wakers {
        let waker = Waker::from(Arc::clone(woken));
        assert!(running.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
    }
    assert!(wakers.iter().rev().skip(1).all(|waker| Arc::strong_count(waker) == 1));
    drop(reaper.adopt(resource(&log, 0)));
    let counts: Vec<_> = wakers.iter().map(|waker| waker.0.load(SeqCst)).collect();
    assert_eq!(counts, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    drop(running);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn one_poll_is_one_round_of_at_most_64() {
    let (log, mut reaper) = (log(), Reaper::new());
    for _ in 0..100 {
        drop(reaper.adopt(resource(&log, 0)));
    }
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let mut drain = reaper.drain();
    assert!(drain.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!((log.counts(), woken.0.load(SeqCst)), ((64, 64, 64), 1), "it wakes itself");
    assert_eq!(poll_once(&mut drain).map(|report| report.cleaned), Poll::Ready(100));
    drop(drain);

    // An orphan that is always ready is polled once a round.
    drop(reaper.adopt(resource(&log, 10)));
    let mut drain = reaper.drain();
    for polls in 0..10 {
        assert!(poll_once(&mut drain).is_pending(), "{polls}");
    }
    assert!(poll_once(&mut drain).is_ready());
    drop(drain);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn begun_cleanups_go_before_new_ones_but_stop_none() {
    let (busy, fresh, mut reaper) = (log(), log(), Reaper::new());
    for _ in 0..100 {
        drop(reaper.adopt(resource(&busy, 1_000)));
    }
    let mut drain = reaper.drain();
    assert!(poll_once(&mut drain).is_pending());
    assert!(poll_once(&mut drain).is_pending());
    assert_eq!(busy.counts().0, 65, "a round has 64 polls, whatever they are");
    drop(reaper.adopt(resource(&fresh, 0)));
    for _ in 0..100 {
        assert!(poll_once(&mut drain).is_pending());
    }
    assert_eq!(fresh.counts(), (1, 1, 1), "64 busy cleanups leave a place to others");
    drop(drain);
    drop(reaper.abandon());
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn drains_inside_cleanups_do_not_nest() {
    /// Its cleanup drains the reaper that polls it.
    struct Draining {
        reaper: Arc<AsyncDropGuard<Reaper>>,
        depth: Arc<AtomicUsize>,
        deepest: Arc<AtomicUsize>,
    }

    #[livedrop::unboxed]
    impl AsyncDrop for Draining {
        type Error = Failed;
        async fn async_drop_impl(&mut self) -> Result<(), Failed> {
            self.deepest.fetch_max(self.depth.fetch_add(1, SeqCst) + 1, SeqCst);
            cancel_after(1, self.reaper.drain());
            self.depth.fetch_sub(1, SeqCst);
            Ok(())
        }
    }

    let (reaper, depth, deepest) = (Arc::new(Reaper::new()), Arc::default(), Arc::default());
    for _ in 0..20 {
        let (reaper, depth, deepest) =
            (Arc::clone(&reaper), Arc::clone(&depth), Arc::clone(&deepest));
        let value = Draining { reaper: Arc::clone(&reaper), depth, deepest };
        drop(reaper.adopt(AsyncDropGuard::new(value)));
    }
    assert_eq!(block_on(reaper.drain()).cleaned, 20);
    assert_eq!(deepest.load(SeqCst), 1);
    block_on(Arc::into_inner(reaper).expect("nobody else has it").async_drop()).unwrap();
}

#[test]
fn a_reaper_inside_an_orphan_drains_itself() {
    let (log, mut outer, inner) = (log(), Reaper::new(), Reaper::new());
    drop(inner.adopt(resource(&log, 2)));
    drop(outer.adopt(inner));
    assert_eq!(block_on(outer.drain()).cleaned, 1);
    assert_eq!(log.counts(), (1, 1, 1));
    block_on(outer.async_drop()).unwrap();
}

#[test]
fn a_run_ends_when_nobody_can_adopt() {
    let (log, quiet) = (log(), Reports::collect());
    let reaper = Reaper::new();
    let (handle, running) = (reaper.handle(), reaper.run());
    let guard = handle.adopt(resource(&log, 0));
    drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
    let mut running = Box::pin(running);
    assert!(poll_once(&mut running).is_pending(), "the handle can adopt");
    drop(guard);
    assert!(poll_once(&mut running).is_pending(), "it still can");
    assert_eq!(log.counts(), (1, 1, 1));
    drop(handle);
    assert!(poll_once(&mut running).is_ready());
    quiet.expect_none();
}

mod spawned {
    use super::*;

    type Tasks = Arc<Mutex<Vec<Pin<Box<CleanupTask>>>>>;

    /// A `run` that puts the tasks into a list.
    fn spawning(reaper: &Reaper) -> (Run, Tasks) {
        let tasks = Tasks::default();
        let list = Arc::clone(&tasks);
        (reaper.run_with(move |task| list.lock().unwrap().push(Box::pin(task))), tasks)
    }

    #[test]
    fn each_orphan_is_polled_by_its_task() {
        let (log, mut reaper) = (log(), Reaper::new());
        let (mut running, tasks) = spawning(&reaper);
        for _ in 0..3 {
            drop(reaper.adopt(resource(&log, 1)));
        }
        let _ = poll_once(&mut running);
        assert_eq!((log.counts(), tasks.lock().unwrap().len()), ((0, 0, 0), 3));
        for polls in 1..=2 {
            for task in &mut *tasks.lock().unwrap() {
                assert_eq!(poll_once(task).is_ready(), polls == 2);
            }
        }
        assert_eq!(log.counts(), (3, 3, 3));
        let _ = poll_once(&mut running);
        assert_eq!(block_on(reaper.drain()).cleaned, 3);
        drop(running);
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn the_orphan_of_a_dropped_task_is_polled_by_the_run() {
        for polls in 0..3 {
            let (log, mut reaper) = (log(), Reaper::new());
            let (mut running, tasks) = spawning(&reaper);
            drop(reaper.adopt(resource(&log, 2)));
            let _ = poll_once(&mut running);
            let task = tasks.lock().unwrap().pop().expect("it was spawned");
            cancel_after(polls, task);
            for _ in 0..4 {
                let _ = poll_once(&mut running);
            }
            assert!(tasks.lock().unwrap().is_empty(), "it is not spawned again");
            assert_eq!(log.counts(), (1, 1, 1));
            drop(running);
            block_on(reaper.async_drop()).unwrap();
        }
    }

    #[test]
    fn a_dropped_task_without_drivers_is_reported() {
        let (log, reports, reaper) = (log(), Reports::collect(), Reaper::new());
        let (mut running, tasks) = spawning(&reaper);
        drop(reaper.adopt(resource(&log, 2)));
        let _ = poll_once(&mut running);
        drop(running);
        drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
        reports.expect_none();
        tasks.lock().unwrap().clear();
        reports.expect_one("the reaper was dropped before it had cleaned up Resource");
        assert_eq!(log.counts(), (0, 0, 1));
    }

    #[test]
    fn a_task_outlives_the_reaper_and_its_run() {
        let (log, reports, reaper) = (log(), Reports::collect(), Reaper::new());
        let (mut running, tasks) = spawning(&reaper);
        drop(reaper.adopt(resource(&log, 2)));
        let _ = poll_once(&mut running);
        drop(running);
        drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
        let task = tasks.lock().unwrap().pop().expect("it was spawned");
        run(task);
        assert_eq!(log.counts(), (1, 1, 1));
        reports.expect_none();
    }

    #[test]
    fn a_spawner_that_panics_ends_its_run() {
        let (log, mut reaper) = (log(), Reaper::new());
        let mut running = reaper.run_with(|_task| panic!("no runtime"));
        drop(reaper.adopt(resource(&log, 1)));
        assert_eq!(panic_of(|| poll_once(&mut running).is_ready()), "no runtime");
        assert!(poll_once(&mut running).is_ready(), "it has ended");
        assert_eq!(block_on(reaper.drain()).cleaned, 1, "`drain` drives now");
        assert_eq!(log.counts(), (1, 1, 1));
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn abandon_wakes_the_tasks() {
        let (log, mut reaper) = (log(), Reaper::new());
        let (mut running, tasks) = spawning(&reaper);
        drop(reaper.adopt(resource(&log, 9)));
        let _ = poll_once(&mut running);
        let mut task = tasks.lock().unwrap().pop().expect("it was spawned");
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        assert!(task.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
        let before = woken.0.load(SeqCst);
        assert_eq!(reaper.abandon().abandoned.len(), 1);
        assert_eq!(woken.0.load(SeqCst), before + 1);
        assert!(poll_once(&mut task).is_ready(), "nothing is left to poll");
        assert_eq!(log.counts(), (1, 0, 1));
        drop(running);
        block_on(reaper.async_drop()).unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn a_cleanup_that_blocks_delays_no_other() {
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let blocked = Mutex::new(blocked);
        let mut reaper = Reaper::new();
        let running = tokio::spawn(reaper.run_with(|task| drop(tokio::spawn(task))));
        let blocking = AsyncDropGuard::with_cleanup(blocked, |blocked| async move {
            let _ = blocked.into_inner().unwrap().recv();
        });
        drop(reaper.adopt(blocking));
        let (log, handle) = (log(), reaper.handle());
        drop(handle.adopt(resource(&log, 1)));
        while log.counts() != (1, 1, 1) {
            tokio::task::yield_now().await;
        }
        release.send(()).unwrap();
        reaper.async_drop().await.unwrap();
        running.await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn a_cleanup_that_blocks_does_not_delay_the_driver() {
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let blocked = Mutex::new(blocked);
        let (log, mut reaper) = (log(), Reaper::new());
        let handle = reaper.handle();
        let mut second = Some(AsyncDropGuard::new(Resource::plain(&log)));
        let running = tokio::spawn(reaper.run_with(move |task| {
            // The driver has one more orphan at the end of its poll.
            drop(second.take().map(|second| handle.adopt(second)));
            drop(tokio::spawn(task));
        }));
        let blocking = AsyncDropGuard::with_cleanup(blocked, |blocked| async move {
            let _ = blocked.into_inner().unwrap().recv();
        });
        drop(reaper.adopt(blocking));
        while log.counts() != (1, 1, 1) {
            tokio::task::yield_now().await;
        }
        release.send(()).unwrap();
        reaper.async_drop().await.unwrap();
        running.await.unwrap();
    }
}

mod concurrency {
    use super::*;

    #[test]
    fn the_limit_is_reached_and_never_exceeded() {
        for limit in 1..4 {
            let (log, mut reaper) = (log(), Reaper::new());
            reaper.set_concurrency(limit);
            for _ in 0..7 {
                drop(reaper.adopt(resource(&log, 2)));
            }
            let mut most = 0;
            let mut drain = reaper.drain();
            while poll_once(&mut drain).is_pending() {
                let (begun, ended, _) = log.counts();
                most = most.max(begun - ended);
            }
            assert_eq!((most, log.counts()), (limit, (7, 7, 7)));
            drop(drain);
            block_on(reaper.async_drop()).unwrap();
        }
    }

    #[test]
    fn a_raised_limit_wakes_the_drivers() {
        let (log, mut reaper) = (log(), Reaper::new());
        reaper.set_concurrency(1);
        let stuck = AsyncDropGuard::with_cleanup((), |()| std::future::pending::<()>());
        drop(reaper.adopt(stuck));
        drop(reaper.adopt(resource(&log, 0)));
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        let mut drain = reaper.drain();
        assert!(drain.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!((log.counts(), woken.0.load(SeqCst)), ((0, 0, 0), 0));
        reaper.set_concurrency(2);
        assert_eq!(woken.0.load(SeqCst), 1);
        assert!(poll_once(&mut drain).is_pending());
        assert_eq!(log.counts(), (1, 1, 1));
        drop(drain);
        assert_eq!(reaper.abandon().abandoned.len(), 1);
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn a_limit_of_zero_panics_with_the_reason() {
        let mut reaper = Reaper::new();
        let text = panic_of(|| reaper.set_concurrency(0));
        assert!(text.starts_with("a reaper that cleans up no orphan at a time"), "{text}");
        block_on(reaper.async_drop()).unwrap();
    }
}

mod ordered {
    use super::*;

    #[test]
    fn orphans_are_cleaned_up_as_they_were_orphaned() {
        for ending in [Ending::Ok, Ending::Err, Ending::Panic] {
            let (diary, mut reaper, _reports) =
                (Diary::default(), Reaper::new(), Reports::collect());
            let handle = reaper.handle().ordered();
            let network = named(&handle, &diary, "network", 0, Ending::Ok);
            let container = named(&handle, &diary, "container", 3, ending);
            drop(container);
            drop(network);
            assert_eq!(block_on(reaper.drain()).cleaned, 2);
            let expected = ["begin container", "end container", "begin network", "end network"];
            assert_eq!(written(&diary), expected, "{ending:?}");
            block_on(reaper.async_drop()).unwrap();
        }
    }

    #[test]
    fn nested_bodies_are_cleaned_up_inside_out() {
        // In the bodies, and in the cleanup of the inner one.
        for polls in 1..3 {
            let (diary, mut reaper) = (Diary::default(), Reaper::new());
            let handle = reaper.handle().ordered();
            let network = named(&handle, &diary, "network", 0, Ending::Ok);
            let container = named(&handle, &diary, "container", 3, Ending::Ok);
            cancel_after(
                polls,
                with_async_drop(network, async |_| {
                    with_async_drop(container, async |_| {
                        wait(1).await;
                        Ok::<_, Failed>(())
                    })
                    .await
                }),
            );
            block_on(reaper.async_drop()).unwrap();
            let expected = ["begin container", "end container", "begin network", "end network"];
            assert_eq!(written(&diary), expected, "{polls}");
        }
    }

    #[test]
    fn an_owner_that_is_alive_holds_nobody_up() {
        let (diary, mut reaper) = (Diary::default(), Reaper::new());
        let handle = reaper.handle().ordered();
        let first = named(&handle, &diary, "first", 0, Ending::Ok);
        drop(named(&handle, &diary, "second", 0, Ending::Ok));
        assert!(poll_once(&mut reaper.drain()).is_pending());
        assert_eq!(written(&diary), ["begin second", "end second"]);
        drop(first);
        block_on(reaper.async_drop()).unwrap();
    }

    #[test]
    fn a_half_run_cleanup_waits_for_its_turn() {
        let (diary, mut reaper) = (Diary::default(), Reaper::new());
        let handle = reaper.handle().ordered();
        let mut half = named(&handle, &diary, "half", 1, Ending::Ok);
        let first = named(&handle, &diary, "first", 1, Ending::Ok);
        cancel_after(1, half.async_drop());
        drop(first);
        drop(half);
        block_on(reaper.async_drop()).unwrap();
        assert_eq!(written(&diary), ["begin half", "begin first", "end first", "end half"]);
    }

    #[test]
    fn a_cancelled_opening_holds_its_place() {
        let (diary, mut reaper) = (Diary::default(), Reaper::new());
        let handle = reaper.handle().ordered();
        let last = named(&handle, &diary, "last", 0, Ending::Ok);
        let (made, opened) = (Arc::clone(&diary), Arc::clone(&diary));
        let open = handle.acquire(async move {
            wait(3).await;
            opened.lock().unwrap().push("open first".to_owned());
            let value = Named { name: "first", waits: 1, ending: Ending::Ok, diary: made };
            Ok::<_, Failed>(AsyncDropGuard::new(value))
        });
        cancel_after(1, open);
        drop(last);
        block_on(reaper.async_drop()).unwrap();
        let expected = ["open first", "begin first", "end first", "begin last", "end last"];
        assert_eq!(written(&diary), expected);
    }

    #[test]
    fn labels_and_clones_keep_the_order_and_ordered_begins_one() {
        let (diary, mut reaper) = (Diary::default(), Reaper::new());
        let handle = reaper.handle().ordered();
        let labelled = handle.with_label("b");
        let other = labelled.ordered();
        drop(named(&handle.clone(), &diary, "a", 2, Ending::Ok));
        drop(named(&labelled, &diary, "b", 2, Ending::Ok));
        drop(named(&other, &diary, "c", 1, Ending::Ok));
        let labels: Vec<_> = reaper.pending().into_iter().map(|pending| pending.label).collect();
        assert_eq!(labels, [None, Some("b".into()), Some("b".into())]);
        block_on(reaper.async_drop()).unwrap();
        let expected = ["begin a", "begin c", "end c", "end a", "begin b", "end b"];
        assert_eq!(written(&diary), expected);
    }

    #[test]
    fn spawned_cleanups_keep_the_order() {
        let (diary, mut reaper) = (Diary::default(), Reaper::new());
        let handle = reaper.handle().ordered();
        let tasks = Arc::<Mutex<Vec<_>>>::default();
        let list = Arc::clone(&tasks);
        let mut running = reaper.run_with(move |task| list.lock().unwrap().push(task));
        drop(named(&handle, &diary, "a", 1, Ending::Ok));
        drop(named(&handle, &diary, "b", 0, Ending::Ok));
        for _ in 0..2 {
            let _ = poll_once(&mut running);
            let mut spawned = std::mem::take(&mut *tasks.lock().unwrap());
            assert_eq!(spawned.len(), 1);
            run(spawned.pop().expect("one"));
        }
        assert_eq!(written(&diary), ["begin a", "end a", "begin b", "end b"]);
        drop(running);
        block_on(reaper.async_drop()).unwrap();
    }
}

#[test]
fn helpers_around_ordered_guards_keep_the_order() {
    let (diary, mut reaper) = (Diary::default(), Reaper::new());
    let handle = reaper.handle().ordered();
    let shared = AsyncDropArc::new(named(&handle, &diary, "shared", 2, Ending::Ok));
    let other = AsyncDropArc::clone(&shared);
    let locked = AsyncDropMutex::new(named(&handle, &diary, "locked", 0, Ending::Ok));
    drop((shared, other, locked));
    block_on(reaper.async_drop()).unwrap();
    assert_eq!(written(&diary), ["begin shared", "end shared", "begin locked", "end locked"]);
}

/// Tokio polls what other threads have woken only every few dozen polls, unless a task yields by
/// `tokio::task::yield_now`.
#[cfg(feature = "tokio")]
#[tokio::test(flavor = "current_thread")]
async fn a_run_lets_other_tasks_run_after_each_round() {
    const ORPHANS: usize = 20_000;
    let (log, reaper) = (log(), Reaper::new());
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let seen = Arc::clone(&log);
    let other = tokio::spawn(async move {
        receiver.await.unwrap();
        seen.counts().1
    });
    tokio::task::yield_now().await;
    // The first orphan wakes that task from another thread.
    drop(reaper.adopt(AsyncDropGuard::with_cleanup(sender, |sender| async move {
        std::thread::spawn(|| sender.send(()).unwrap()).join().unwrap();
    })));
    for _ in 0..ORPHANS {
        drop(reaper.adopt(resource(&log, 0)));
    }
    let running = tokio::spawn(reaper.run());
    let cleaned = other.await.unwrap();
    assert!(cleaned <= 3 * 64, "{cleaned} cleanups before the other task had its turn");
    let mut reaper = reaper;
    reaper.async_drop().await.unwrap();
    running.await.unwrap();
}
