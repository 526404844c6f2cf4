//! `AsyncDropWeak::gone`: ready after the cleanup of the shared value has ended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use allocation_counter::measure;
use livedrop::collections::AsyncDropResult;
use livedrop::state::{Cleanable, State};
use livedrop::sync::{AsyncDropArc, AsyncDropMutex, AsyncDropWeak, Gone};
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Checked, Live, Reaper, ReaperHandle};
use static_assertions::assert_impl_all;

use crate::support::{Ending, Failed, Log, Reports, Resource, block_on, cancel_after, run, wait};

assert_impl_all!(Gone: Send, Sync, Unpin, std::fmt::Debug);

const WAITS: usize = 3;
const POLLS_OF_A_CLEANUP: usize = WAITS + 1;
const ENDINGS: [Ending; 3] = [Ending::Ok, Ending::Err, Ending::Panic];

type Handle<S> = AsyncDropGuard<AsyncDropArc<Resource, S>, S>;

/// A state of the shared value.
trait Tested:
    State<Slot<Resource>: Send + Sync>
    + Cleanable<Resource>
    + Cleanable<AsyncDropArc<Resource, Self>>
    + 'static
{
    fn guard(reaper: &ReaperHandle, value: Resource) -> AsyncDropGuard<Resource, Self>;
    fn share(guard: AsyncDropGuard<Resource, Self>) -> Handle<Self>;
    fn clean(handle: Handle<Self>) -> Result<(), Failed> {
        block_on(AsyncDropGuard::new(Some(handle)).async_drop())
    }
}

impl Tested for Checked {
    fn guard(_: &ReaperHandle, value: Resource) -> AsyncDropGuard<Resource> {
        AsyncDropGuard::new(value)
    }
    fn share(guard: AsyncDropGuard<Resource>) -> Handle<Self> {
        AsyncDropArc::new(guard)
    }
}

impl Tested for Live {
    fn guard(_: &ReaperHandle, value: Resource) -> AsyncDropGuard<Resource, Live> {
        AsyncDropGuard::live(value)
    }
    fn share(guard: AsyncDropGuard<Resource, Live>) -> Handle<Self> {
        AsyncDropArc::new(guard)
    }
}

impl Tested for Adopted {
    fn guard(reaper: &ReaperHandle, value: Resource) -> AsyncDropGuard<Resource, Adopted> {
        reaper.adopt(AsyncDropGuard::new(value))
    }
    fn share(guard: AsyncDropGuard<Resource, Adopted>) -> Handle<Self> {
        AsyncDropArc::new(guard)
    }
}

/// A reaper without a driver, the reports, and the counts of one value.
struct World {
    reaper: Option<AsyncDropGuard<Reaper>>,
    log: Arc<Log>,
    reports: Reports,
}

impl World {
    fn new() -> Self {
        Self { reaper: Some(Reaper::new()), log: Arc::default(), reports: Reports::collect() }
    }

    fn reaper(&self) -> &Reaper {
        self.reaper.as_ref().unwrap()
    }

    fn resource(&self, ending: Ending) -> Resource {
        Resource::new(&self.log, WAITS, ending)
    }

    fn adopt(&self, ending: Ending) -> AsyncDropGuard<Resource, Adopted> {
        Adopted::guard(self.reaper(), self.resource(ending))
    }

    fn handle<S: Tested>(&self, ending: Ending) -> Handle<S> {
        S::share(S::guard(self.reaper(), self.resource(ending)))
    }

    fn is_dropped(&self) -> bool {
        self.log.counts().2 == 1
    }

    /// Lets the reaper poll its orphans, and asserts after each poll that `waiting` is ready exactly if
    /// the value is dropped.
    #[track_caller]
    fn drain_and_expect_ready(&self, waiting: &mut Waiting) {
        let mut drain = Box::pin(self.reaper().drain());
        while drain.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            assert_eq!(waiting.is_ready(), self.is_dropped());
        }
        assert!(self.is_dropped());
        waiting.expect_ready();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(reaper) = self.reaper.take() {
            drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
        }
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A task that waits, and counts how often it is woken.
struct Waiting {
    gone: Gone,
    wakes: Arc<Wakes>,
}

impl Waiting {
    /// Begins to wait.
    #[track_caller]
    fn pending<T, S: State>(weak: &AsyncDropWeak<T, S>) -> Self {
        let mut waiting = Self { gone: weak.gone(), wakes: Arc::default() };
        assert!(waiting.poll().is_pending(), "gone too early");
        waiting
    }

    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        Pin::new(&mut self.gone).poll(&mut Context::from_waker(&waker))
    }

    /// Polls if it was woken, as an executor does.
    fn is_ready(&mut self) -> bool {
        if self.wakes() == 0 {
            return false;
        }
        assert!(self.poll().is_ready(), "woken too early");
        true
    }

    fn wakes(&self) -> usize {
        self.wakes.0.load(SeqCst)
    }

    #[track_caller]
    fn expect_pending(&mut self) {
        assert_eq!(self.wakes(), 0, "woken too early");
        assert!(self.poll().is_pending(), "gone too early");
    }

    #[track_caller]
    fn expect_ready(&mut self) {
        assert_eq!(self.wakes(), 1, "wakes");
        assert!(self.poll().is_ready());
    }
}

/// Whether a new waiter is ready at its first poll.
fn is_gone<T, S: State>(weak: &AsyncDropWeak<T, S>) -> bool {
    weak.gone().poll_once().is_ready()
}

trait PollOnce: Future + Unpin + Sized {
    fn poll_once(mut self) -> Poll<Self::Output> {
        Pin::new(&mut self).poll(&mut Context::from_waker(Waker::noop()))
    }
}

impl PollOnce for Gone {}

macro_rules! in_every_state {
    ($($(#[$meta:meta])* fn $test:ident<S: Tested>() $body:block)+) => {
        $($(#[$meta])* fn $test<S: Tested>() $body)+
        in_every_state!(@module checked Checked $($test)+);
        in_every_state!(@module live Live $($test)+);
        in_every_state!(@module adopted Adopted $($test)+);
    };
    (@module $module:ident $State:ident $($test:ident)+) => {
        mod $module {
            use super::*;
            $(#[test] fn $test() { super::$test::<$State>(); })+
        }
    };
}

in_every_state! {
    fn ready_after_the_last_cleanup_has_ended<S: Tested>() {
        for ending in ENDINGS {
            let world = World::new();
            let first = world.handle::<S>(ending);
            let second = AsyncDropArc::clone(&first);
            let weak = AsyncDropArc::downgrade(&first);
            let mut waiting = Waiting::pending(&weak);
            S::clean(first).unwrap();
            waiting.expect_pending();
            let mut owner = AsyncDropGuard::new(Some(second));
            let mut cleanup = Box::pin(owner.async_drop());
            for _ in 0..WAITS {
                assert!(cleanup.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
                waiting.expect_pending();
            }
            let end = catch_unwind(AssertUnwindSafe(|| block_on(cleanup)));
            assert_eq!(end.is_err(), ending == Ending::Panic);
            waiting.expect_ready();
            assert!(world.is_dropped());
            world.reports.expect_none();
        }
    }

    fn not_ready_while_the_last_cleanup_is_cancelled<S: Tested>() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let world = World::new();
            let last = world.handle::<S>(Ending::Err);
            let weak = AsyncDropArc::downgrade(&last);
            let mut waiting = Waiting::pending(&weak);
            let mut owner = AsyncDropGuard::new(Some(last));
            cancel_after(polls, owner.async_drop());
            waiting.expect_pending();
            block_on(owner.async_drop()).unwrap_err();
            waiting.expect_ready();
            world.reports.expect_none();
        }
    }

    fn ready_after_a_cancelled_last_handle_is_dropped<S: Tested>() {
        for ending in ENDINGS {
            for polls in 0..POLLS_OF_A_CLEANUP {
                let world = World::new();
                let last = world.handle::<S>(ending);
                let weak = AsyncDropArc::downgrade(&last);
                let mut waiting = Waiting::pending(&weak);
                let mut owner = AsyncDropGuard::new(Some(last));
                cancel_after(polls, owner.async_drop());
                drop(owner);
                // A reaper has not begun yet.
                assert_eq!(waiting.is_ready(), world.is_dropped());
                world.drain_and_expect_ready(&mut waiting);
                let ended = usize::from(world.log.counts().1 == 1);
                assert_eq!(world.log.counts(), (ended.max(world.log.counts().0), ended, 1));
            }
        }
    }

    fn ready_after_a_handle_dropped_with_its_cleanup<S: Tested>() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let world = World::new();
            let last = world.handle::<S>(Ending::Ok);
            let weak = AsyncDropArc::downgrade(&last);
            let mut waiting = Waiting::pending(&weak);
            let mut owner = AsyncDropGuard::new(Some(last));
            // The future owns the handle.
            cancel_after(polls, async move { owner.async_drop().await });
            world.drain_and_expect_ready(&mut waiting);
        }
    }

    fn ready_after_a_last_handle_dropped_by_panic<S: Tested>() {
        let world = World::new();
        let last = world.handle::<S>(Ending::Ok);
        let weak = AsyncDropArc::downgrade(&last);
        let mut waiting = Waiting::pending(&weak);
        catch_unwind(AssertUnwindSafe(|| {
            let _last = last;
            std::panic::resume_unwind(Box::new("body"));
        }))
        .unwrap_err();
        world.drain_and_expect_ready(&mut waiting);
    }

    fn not_ready_while_an_upgraded_handle_lives<S: Tested>() {
        let world = World::new();
        let first = world.handle::<S>(Ending::Ok);
        let weak = AsyncDropArc::downgrade(&first);
        let mut waiting = Waiting::pending(&weak);
        let second = weak.upgrade().unwrap();
        S::clean(first).unwrap();
        waiting.expect_pending();
        let mut late = Waiting::pending(&AsyncDropArc::downgrade(&second));
        S::clean(second).unwrap();
        waiting.expect_ready();
        late.expect_ready();
    }

    fn ready_once_the_value_was_taken_out<S: Tested>() {
        let world = World::new();
        let only = world.handle::<S>(Ending::Ok);
        let weak = AsyncDropArc::downgrade(&only);
        let mut waiting = Waiting::pending(&weak);
        let guard = AsyncDropArc::into_inner(only).unwrap();
        waiting.expect_ready();
        // The guard can be shared again. That is another value to a weak reference.
        let again = S::share(guard);
        let renewed = AsyncDropArc::downgrade(&again);
        assert!(is_gone(&weak));
        let mut waiting = Waiting::pending(&renewed);
        S::clean(again).unwrap();
        waiting.expect_ready();
        world.reports.expect_none();
    }

    fn a_failed_into_inner_leaves_it_waiting<S: Tested>() {
        let world = World::new();
        let first = world.handle::<S>(Ending::Ok);
        let second = AsyncDropArc::clone(&first);
        let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&first));
        let first = AsyncDropArc::into_inner(first).unwrap_err();
        waiting.expect_pending();
        S::clean(first).unwrap();
        waiting.expect_pending();
        S::clean(second).unwrap();
        waiting.expect_ready();
    }

    fn a_late_waiter_is_ready_at_once<S: Tested>() {
        let world = World::new();
        let only = world.handle::<S>(Ending::Ok);
        let weak = AsyncDropArc::downgrade(&only);
        let unpolled = weak.gone();
        assert!(!is_gone(&weak));
        S::clean(only).unwrap();
        assert!(unpolled.poll_once().is_ready());
        assert!(is_gone(&weak));
        assert!(is_gone(&weak.clone()));
    }

    fn every_waiter_is_woken_once<S: Tested>() {
        let world = World::new();
        let only = world.handle::<S>(Ending::Ok);
        let weak = AsyncDropArc::downgrade(&only);
        let mut waiting: Vec<_> = (0..100).map(|_| Waiting::pending(&weak.clone())).collect();
        let cancelled: Vec<_> = (0..100).step_by(3).rev().map(|at| waiting.remove(at).wakes).collect();
        waiting.extend((0..10).map(|_| Waiting::pending(&weak)));
        drop(weak);
        S::clean(only).unwrap();
        for mut waiting in waiting {
            waiting.expect_ready();
            assert!(waiting.poll().is_ready(), "ready again");
        }
        assert!(cancelled.iter().all(|wakes| wakes.0.load(SeqCst) == 0));
    }

    fn only_the_waker_of_the_last_poll_is_woken<S: Tested>() {
        let world = World::new();
        let only = world.handle::<S>(Ending::Ok);
        let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&only));
        let old = std::mem::take(&mut waiting.wakes);
        waiting.expect_pending();
        S::clean(only).unwrap();
        assert_eq!(old.0.load(SeqCst), 0);
        waiting.expect_ready();
    }

    fn a_panicking_waker_takes_nothing_from_others<S: Tested>() {
        struct Panicking;
        impl Wake for Panicking {
            fn wake(self: Arc<Self>) {
                std::panic::resume_unwind(Box::new("from a waker"));
            }
        }
        let panicking = Waker::from(Arc::new(Panicking));
        for is_unwinding in [false, true] {
            let world = World::new();
            let only = world.handle::<S>(Ending::Err);
            let weak = AsyncDropArc::downgrade(&only);
            let mut before = Waiting::pending(&weak);
            let mut panics = [weak.gone(), weak.gone()];
            for gone in &mut panics {
                assert!(Pin::new(gone).poll(&mut Context::from_waker(&panicking)).is_pending());
            }
            let mut after = Waiting::pending(&weak);
            if is_unwinding {
                catch_unwind(AssertUnwindSafe(|| {
                    let _only = only;
                    std::panic::resume_unwind(Box::new("body"));
                }))
                .unwrap_err();
                block_on(world.reaper().drain()).into_result().err();
            } else {
                assert_eq!(S::clean(only), Err(Failed));
            }
            before.expect_ready();
            after.expect_ready();
            for gone in panics {
                assert!(gone.poll_once().is_ready());
            }
        }
    }

    /// A waker runs foreign code, so it must be woken under no lock.
    fn a_waker_may_use_the_weak_reference<S: Tested>() {
        struct Reentering<S: Tested>(AsyncDropWeak<Resource, S>, ReaperHandle, AtomicUsize);
        impl<S: Tested> Wake for Reentering<S> {
            fn wake(self: Arc<Self>) {
                assert!(self.0.upgrade().is_none());
                assert!(is_gone(&self.0));
                let _pending = self.1.pending();
                self.2.fetch_add(1, SeqCst);
            }
        }
        for is_cleaned in [false, true] {
            let world = World::new();
            let only = world.handle::<S>(Ending::Ok);
            let weak = AsyncDropArc::downgrade(&only);
            let mut gone = weak.gone();
            let waker = Arc::new(Reentering(weak, world.reaper().handle(), AtomicUsize::new(0)));
            let task = Waker::from(Arc::clone(&waker));
            assert!(Pin::new(&mut gone).poll(&mut Context::from_waker(&task)).is_pending());
            if is_cleaned {
                S::clean(only).unwrap();
            } else {
                drop(only);
                block_on(world.reaper().drain()).into_result().unwrap();
            }
            assert_eq!(waker.2.load(SeqCst), 1);
        }
    }

    fn cancelled_waiters_do_not_pile_up<S: Tested>() {
        let world = World::new();
        let only = world.handle::<S>(Ending::Ok);
        let weak = AsyncDropArc::downgrade(&only);
        let mut waiting: Vec<_> = (0..10).map(|_| Waiting::pending(&weak)).collect();
        let counted = measure(|| {
            for _ in 0..10_000 {
                assert!(!is_gone(&weak));
            }
        });
        assert!(counted.bytes_max < 10_000, "{counted:?}");
        S::clean(only).unwrap();
        waiting.iter_mut().for_each(Waiting::expect_ready);
    }

    fn waiting_keeps_neither_value_nor_weak_reference<S: Tested>() {
        let world = World::new();
        let only = world.handle::<S>(Ending::Ok);
        let weak = AsyncDropArc::downgrade(&only);
        let mut waiting = Waiting::pending(&weak);
        drop(weak);
        assert_eq!(AsyncDropArc::weak_count(&only), 0);
        S::clean(only).unwrap();
        waiting.expect_ready();
    }
}

mod without_a_value {
    use super::*;

    static NOTHING: AsyncDropWeak<Resource> = AsyncDropWeak::new();
    static CACHE: Mutex<AsyncDropWeak<Resource, Live>> = Mutex::new(AsyncDropWeak::new());

    #[test]
    fn a_static_reference_to_nothing_is_gone() {
        let counted = measure(|| {
            assert!(is_gone(&NOTHING));
            assert!(NOTHING.upgrade().is_none());
            assert!(is_gone(&AsyncDropWeak::<Resource, Adopted>::default()));
        });
        assert_eq!(counted.count_total, 0);
    }

    #[test]
    fn a_static_reference_can_be_set_later() {
        let log = Arc::default();
        let only = AsyncDropArc::new(AsyncDropGuard::live(Resource::plain(&log)));
        let mut cache = CACHE.lock().unwrap();
        assert!(is_gone(&cache));
        *cache = AsyncDropArc::downgrade(&only);
        let mut waiting = Waiting::pending(&cache);
        block_on(only.async_drop()).result.unwrap();
        waiting.expect_ready();
    }
}

/// The reaper, not the last handle, ends the cleanup.
mod left_to_the_reaper {
    use super::*;

    #[test]
    fn a_failure_is_counted_once_it_is_ready() {
        for ending in ENDINGS {
            let world = World::new();
            let last = world.handle::<Adopted>(ending);
            let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
            drop(last);
            world.drain_and_expect_ready(&mut waiting);
            assert_eq!(world.reports.take_failed().len(), usize::from(ending != Ending::Ok));
            world.reports.expect_none();
        }
    }

    #[test]
    fn an_abandoned_value_is_gone() {
        for polls in 0..=WAITS {
            let world = World::new();
            let last = world.handle::<Adopted>(Ending::Ok);
            let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
            drop(last);
            cancel_after(polls, world.reaper().drain());
            waiting.expect_pending();
            assert_eq!(world.reaper().abandon().abandoned.len(), 1);
            waiting.expect_ready();
            assert!(world.is_dropped());
        }
    }

    #[test]
    fn an_abandoned_owner_keeps_its_value() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let world = World::new();
            let last = world.handle::<Adopted>(Ending::Ok);
            let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
            let mut owner = AsyncDropGuard::new(Some(last));
            cancel_after(polls, owner.async_drop());
            assert_eq!(world.reaper().abandon().abandoned.len(), 1);
            waiting.expect_pending();
            drop(owner);
            waiting.expect_ready();
            assert!(world.is_dropped());
        }
    }

    #[test]
    fn abandoned_during_a_poll_it_is_gone_after() {
        let world = World::new();
        let reaper = Arc::new(Reaper::new());
        let abandoning = {
            let reaper = Arc::clone(&reaper);
            AsyncDropGuard::with_cleanup((), move |()| async move {
                let _report = reaper.abandon();
                wait(usize::MAX).await;
            })
        };
        let last = AsyncDropArc::new(reaper.adopt(abandoning));
        let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
        drop(last);
        waiting.expect_pending();
        assert_eq!(block_on(reaper.drain()).abandoned.len(), 1);
        waiting.expect_ready();
        drop(world);
        let reaper = Arc::into_inner(reaper).unwrap();
        drop(AsyncDropGuard::into_inner_without_cleanup(reaper));
    }

    #[test]
    fn a_value_lost_with_its_reaper_is_gone() {
        for polls in 0..=WAITS {
            let mut world = World::new();
            let last = world.handle::<Adopted>(Ending::Ok);
            let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
            drop(last);
            cancel_after(polls, world.reaper().drain());
            waiting.expect_pending();
            drop(AsyncDropGuard::into_inner_without_cleanup(world.reaper.take().unwrap()));
            world.reports.expect_one("");
            waiting.expect_ready();
            assert!(world.is_dropped());
        }
    }

    #[test]
    fn a_value_whose_reaper_had_gone_is_gone() {
        let mut world = World::new();
        let last = world.handle::<Adopted>(Ending::Ok);
        let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
        drop(AsyncDropGuard::into_inner_without_cleanup(world.reaper.take().unwrap()));
        waiting.expect_pending();
        drop(last);
        world.reports.expect_one("");
        waiting.expect_ready();
        assert!(world.is_dropped());
    }

    #[test]
    fn a_value_of_a_closed_reaper_is_gone() {
        let world = World::new();
        world.reaper().close();
        let last = world.handle::<Adopted>(Ending::Ok);
        let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
        drop(last);
        world.reports.expect_one("");
        waiting.expect_ready();
        assert!(world.is_dropped());
    }

    #[test]
    fn an_orphan_in_a_lane_waits_its_turn() {
        let world = World::new();
        let lane = world.reaper().handle().ordered();
        let log = Arc::<Log>::default();
        let first = Adopted::guard(&lane, Resource::plain(&log));
        let last = Adopted::share(Adopted::guard(&lane, world.resource(Ending::Ok)));
        let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
        drop((first, last));
        world.drain_and_expect_ready(&mut waiting);
        assert_eq!(log.counts(), (1, 1, 1));
    }

    #[test]
    fn a_dropped_task_leaves_it_waiting() {
        let world = World::new();
        let tasks = Arc::<Mutex<Vec<_>>>::default();
        let spawned = Arc::clone(&tasks);
        let mut run = world.reaper().run_with(move |task| spawned.lock().unwrap().push(task));
        let last = world.handle::<Adopted>(Ending::Ok);
        let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
        drop(last);
        assert!(Pin::new(&mut run).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        cancel_after(2, tasks.lock().unwrap().pop().unwrap());
        waiting.expect_pending();
        drop(run);
        world.drain_and_expect_ready(&mut waiting);
    }

    #[test]
    fn another_orphan_of_the_thread_keeps_nobody_waiting() {
        let world = World::new();
        let last = world.handle::<Adopted>(Ending::Ok);
        let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
        drop(last);
        let stuck = AsyncDropGuard::with_cleanup((), |()| std::future::pending::<()>());
        drop(world.reaper().adopt(stuck));
        let mut drain = Box::pin(world.reaper().drain());
        for _ in 0..10 {
            assert!(drain.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        waiting.expect_ready();
        drop(drain);
        assert_eq!(world.reaper().abandon().abandoned.len(), 1);
    }

    #[test]
    fn another_ending_is_finished_before_it_is_ready() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let world = World::new();
            let last = world.handle::<Adopted>(Ending::Ok);
            let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
            cancel_after(
                polls,
                last.async_drop_via(|last| async move {
                    wait(WAITS).await;
                    drop(last);
                }),
            );
            waiting.expect_pending();
            world.drain_and_expect_ready(&mut waiting);
            assert_eq!(world.log.counts(), (1, 1, 1));
        }
    }

    #[test]
    fn threads_wait_while_a_thread_reaps() {
        for _ in 0..100 {
            let (log, mut reaper) = (Arc::default(), Reaper::new());
            let first = AsyncDropArc::new(reaper.adopt(AsyncDropGuard::new(Resource::plain(&log))));
            let second = AsyncDropArc::clone(&first);
            let weak = AsyncDropArc::downgrade(&first);
            let runner = thread::spawn({
                let run = reaper.run();
                move || block_on(run)
            });
            let waiters: Vec<_> = (0..3)
                .map(|_| {
                    let (weak, log) = (weak.clone(), Arc::clone(&log));
                    thread::spawn(move || {
                        block_on(weak.gone());
                        assert_eq!(log.counts(), (1, 1, 1));
                        assert!(weak.upgrade().is_none());
                    })
                })
                .collect();
            thread::spawn(move || drop(first)).join().unwrap();
            drop(second);
            for waiter in waiters {
                waiter.join().unwrap();
            }
            block_on(reaper.async_drop()).unwrap();
            runner.join().unwrap();
        }
    }
}

/// The shared value has no registration: the adopted guards inside it have theirs.
mod around_adopted_guards {
    use super::*;

    /// Drops the last handle after every number of polls of its cleanup.
    #[track_caller]
    fn dropped_anywhere<T>(
        make: impl Fn(&World) -> AsyncDropGuard<AsyncDropArc<T, Adopted>, Adopted>,
    ) where
        T: AsyncDrop<Error: 'static>,
        Adopted: Cleanable<T>,
        AsyncDropGuard<T, Adopted>: Sync,
    {
        for polls in 0..=POLLS_OF_A_CLEANUP {
            let world = World::new();
            let last = make(&world);
            let mut waiting = Waiting::pending(&AsyncDropArc::downgrade(&last));
            let mut owner = AsyncDropGuard::new(Some(last));
            let is_cleaned = polls == POLLS_OF_A_CLEANUP;
            if is_cleaned {
                let _result = run(owner.async_drop());
            } else {
                cancel_after(polls, owner.async_drop());
                waiting.expect_pending();
            }
            drop(owner);
            if !is_cleaned {
                waiting.expect_pending();
            }
            world.drain_and_expect_ready(&mut waiting);
            assert_eq!(world.log.counts(), (1, 1, 1));
        }
    }

    #[test]
    fn a_guard_in_a_mutex_is_waited_for() {
        dropped_anywhere(|world| AsyncDropArc::new(AsyncDropMutex::new(world.adopt(Ending::Err))));
    }

    #[test]
    fn a_guard_in_a_result_is_waited_for() {
        dropped_anywhere(|world| {
            AsyncDropArc::new(AsyncDropResult::new(Ok::<_, Failed>(world.adopt(Ending::Err))))
        });
    }

    #[test]
    fn a_guard_in_a_handle_is_waited_for() {
        dropped_anywhere(|world| AsyncDropArc::new(world.handle::<Adopted>(Ending::Ok)));
    }

    #[test]
    fn inner_and_outer_references_are_waited_for() {
        for polls in 0..POLLS_OF_A_CLEANUP {
            let world = World::new();
            let inner = world.handle::<Adopted>(Ending::Ok);
            let weak = AsyncDropArc::downgrade(&inner);
            let mut inner_waiting = Waiting::pending(&weak);
            let outer = AsyncDropArc::new(AsyncDropMutex::new(inner));
            let mut outer_waiting = Waiting::pending(&AsyncDropArc::downgrade(&outer));
            let mut owner = AsyncDropGuard::new(Some(outer));
            cancel_after(polls, owner.async_drop());
            drop(owner);
            // Cancelled waiters for the inner value make room. Those for the outer value stay.
            assert!((0..10).all(|_| !is_gone(&weak)));
            inner_waiting.expect_pending();
            outer_waiting.expect_pending();
            world.drain_and_expect_ready(&mut outer_waiting);
            inner_waiting.expect_ready();
        }
    }
}

/// Polls a future while it is dropped.
struct Probe {
    gone: Arc<Mutex<Option<Gone>>>,
    was_pending: Arc<AtomicUsize>,
}

#[async_trait::async_trait]
impl AsyncDrop for Probe {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        wait(WAITS).await;
        Ok(())
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let gone = self.gone.lock().unwrap().take().unwrap();
        self.was_pending.fetch_add(usize::from(gone.poll_once().is_pending()), SeqCst);
    }
}

mod not_ready_in_the_drop {
    use super::*;

    fn check<S>(guard: impl Fn(&Reaper, Probe) -> AsyncDropGuard<Probe, S>)
    where
        S: Cleanable<Probe, Slot<Probe>: Send + Sync> + Cleanable<AsyncDropArc<Probe, S>>,
    {
        for is_abandoned in [false, true] {
            for polls in 0..=POLLS_OF_A_CLEANUP {
                let world = World::new();
                let (gone, was_pending) = (Arc::default(), Arc::<AtomicUsize>::default());
                let probe =
                    Probe { gone: Arc::clone(&gone), was_pending: Arc::clone(&was_pending) };
                let last = AsyncDropArc::new(guard(world.reaper(), probe));
                let weak = AsyncDropArc::downgrade(&last);
                *gone.lock().unwrap() = Some(weak.gone());
                let mut owner = AsyncDropGuard::new(Some(last));
                if polls == POLLS_OF_A_CLEANUP {
                    block_on(owner.async_drop()).unwrap();
                } else {
                    cancel_after(polls, owner.async_drop());
                }
                drop(owner);
                if is_abandoned {
                    let _report = world.reaper().abandon();
                }
                block_on(world.reaper().drain()).into_result().unwrap();
                assert_eq!(was_pending.load(SeqCst), 1);
                assert!(is_gone(&weak));
            }
        }
    }

    #[test]
    fn of_a_checked_value() {
        check(|_, probe| AsyncDropGuard::new(probe));
    }

    #[test]
    fn of_a_live_value() {
        check(|_, probe| AsyncDropGuard::live(probe));
    }

    #[test]
    fn of_an_adopted_value() {
        check(|reaper, probe| reaper.adopt(AsyncDropGuard::new(probe)));
    }
}
