//! The trait: implementations as people write them, and the implementations of this crate.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll};

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, panic_of, run, wait,
};
use async_trait::async_trait;
use livedrop::collections::{AsyncDropHashMap, AsyncDropResult, AsyncDropStack, AsyncDropVec};
use livedrop::state::Cleanable;
use livedrop::sync::{AsyncDropArc, AsyncDropMutex, AsyncDropShared};
use livedrop::testing::leaks;
use livedrop::{AsyncDrop, AsyncDropGuard, Checked, CleanupErrors, Live, Reaper};

/// Written as `async_trait` expands it: the signature of the method is public.
struct ByHand;

impl AsyncDrop for ByHand {
    type Error = Infallible;

    fn async_drop_impl<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async { Ok(()) })
    }
}

#[test]
fn the_desugared_form_fits() {
    block_on(AsyncDropGuard::live(ByHand).async_drop()).result.unwrap();
}

/// Its cleanup panics in the call, before it returns a future.
struct PanicsInTheCall;

impl AsyncDrop for PanicsInTheCall {
    type Error = Infallible;

    fn async_drop_impl<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        panic!("no future")
    }
}

#[test]
fn panic_in_the_call_disarms_the_guard() {
    let reports = Reports::collect();
    let mut guard = AsyncDropGuard::new(PanicsInTheCall);
    assert_eq!(panic_of(|| block_on(guard.async_drop())), "no future");
    assert!(guard.is_dropped());
    drop(guard);

    let guard = AsyncDropGuard::live(PanicsInTheCall);
    assert_eq!(panic_of(|| block_on(guard.async_drop())), "no future");

    let mut option = Some(AsyncDropGuard::new(PanicsInTheCall));
    assert_eq!(panic_of(|| block_on(option.async_drop_unboxed())), "no future");
    assert!(option.is_none());

    reports.expect_none();

    block_on(leaks(async |reaper| {
        let mut guard = reaper.adopt(AsyncDropGuard::new(PanicsInTheCall));
        assert_eq!(panic_of(|| run(guard.async_drop())), "no future");
        assert!(guard.is_dropped());
    }));
}

/// The cleanup panics in the call, before it returns a future, or else waits forever.
struct Member {
    panics: bool,
    begun: Arc<AtomicUsize>,
}

impl Member {
    /// The panicking member stands between two that wait.
    fn three(begun: &Arc<AtomicUsize>) -> [AsyncDropGuard<Self>; 3] {
        [false, true, false]
            .map(|panics| AsyncDropGuard::new(Self { panics, begun: Arc::clone(begun) }))
    }
}

impl AsyncDrop for Member {
    type Error = Infallible;

    fn async_drop_impl<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        self.begun.fetch_add(1, SeqCst);
        assert!(!self.panics, "no future");
        Box::pin(std::future::pending())
    }
}

#[test]
fn cancelled_vec_drops_the_guard_whose_call_panicked() {
    let reports = Reports::collect();
    let mut members = Vec::from(Member::three(&Arc::default()));
    cancel_after(1, members.async_drop_unboxed());
    assert_eq!(members.iter().map(|member| member.panics).collect::<Vec<_>>(), [false, false]);
    assert_eq!(reports.take().len(), 1, "the panic");
    for member in members {
        let _ = AsyncDropGuard::into_inner_without_cleanup(member);
    }
    assert_eq!(reports.take().len(), 0);
}

#[test]
fn cancelled_vec_keeps_adopted_guards_that_wait() {
    let log = Arc::<Log>::default();
    block_on(leaks(async |reaper| {
        let mut guards: Vec<_> = [0, 2, 2]
            .map(|waits| reaper.adopt(AsyncDropGuard::new(Resource::new(&log, waits, Ending::Ok))))
            .into();
        cancel_after(1, guards.async_drop_unboxed());
        assert_eq!(guards.len(), 2);
        assert_eq!(log.counts(), (3, 1, 1));
        guards.async_drop_unboxed().await.unwrap();
        assert_eq!(log.counts(), (3, 3, 3), "each resumes");
    }));
}

#[test]
fn map_does_not_retry_a_call_that_panicked() {
    let reports = Reports::collect();
    let begun = Arc::default();
    let mut members = AsyncDropHashMap::new();
    for (key, member) in Member::three(&begun).into_iter().enumerate() {
        assert!(members.insert(key, member).is_none());
    }
    cancel_after(1, members.async_drop());
    assert_eq!(begun.load(SeqCst), 3);
    cancel_after(1, members.async_drop());
    assert_eq!(begun.load(SeqCst), 5, "only the two that wait begin again");
    drop(members);
    let reports = reports.take();
    let lost = reports.iter().filter(|report| report.starts_with("async_drop on Member")).count();
    assert_eq!((reports.len(), lost), (4, 2), "the panic, the map, and two in it: {reports:#?}");
}

/// Records which of the two methods was called.
#[derive(Default)]
struct Recording {
    called: Arc<std::sync::Mutex<Vec<&'static str>>>,
}

#[async_trait]
impl AsyncDrop for Recording {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.called.lock().unwrap().push("boxed");
        Ok(())
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Infallible>> + Send {
        async {
            self.called.lock().unwrap().push("unboxed");
            Ok(())
        }
    }
}

#[test]
fn guards_call_the_unboxed_method() {
    let called = Arc::default();
    let recording = || Recording { called: Arc::clone(&called) };
    block_on(async {
        AsyncDropGuard::new(recording()).async_drop().await.unwrap();
        AsyncDropGuard::live(recording()).async_drop().await.result.unwrap();
        AsyncDropGuard::new(Some(AsyncDropGuard::live(recording()))).async_drop().await.unwrap();
        AsyncDropGuard::new(vec![AsyncDropGuard::live(recording())]).async_drop().await.unwrap();
        AsyncDropGuard::new(AsyncDropGuard::new(recording())).async_drop().await.unwrap();
    });
    assert_eq!(*called.lock().unwrap(), ["unboxed"; 5]);
}

#[test]
fn box_of_an_unnamed_type_is_cleaned_up() {
    let log = Arc::<Log>::default();
    let boxed: Box<dyn AsyncDrop<Error = Failed> + Send> = Box::new(Resource::plain(&log));
    let mut guard = AsyncDropGuard::new(boxed);
    assert_eq!(run(guard.async_drop()), (4, Ok(())));
    assert_eq!(log.counts(), (1, 1, 1));

    let boxed: Box<dyn AsyncDrop<Error = Failed> + Send> = Box::new(Resource::plain(&log));
    let mut nested: Box<dyn AsyncDrop<Error = Failed> + Send> = Box::new(boxed);
    block_on(nested.async_drop_impl()).unwrap();
    drop(nested);
    assert_eq!(log.counts(), (2, 2, 2));
}

#[test]
fn guards_nest_and_clean_up_once() {
    let log = Arc::<Log>::default();
    let mut guard = AsyncDropGuard::new(AsyncDropGuard::new(Resource::plain(&log)));
    let inner: &mut AsyncDropGuard<Resource> = &mut guard;
    block_on(inner.async_drop()).unwrap();
    assert_eq!(block_on(guard.async_drop()), Ok(()));
    assert_eq!(log.counts(), (1, 1, 1));
}

/// Cleans up the value of `make` through a trait object, so that the boxed method is called.
#[track_caller]
fn expect_cleaned_through_dyn<T: AsyncDrop + Send + 'static>(
    make: impl FnOnce(AsyncDropGuard<Resource>) -> AsyncDropGuard<T>,
) {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let guard = make(checked(Resource::new(&log, 3, Ending::Err)));
    let mut erased = AsyncDropGuard::map_without_cleanup(guard, |value| {
        Box::new(value) as Box<dyn AsyncDrop<Error = T::Error> + Send>
    });
    assert!(block_on(erased.async_drop()).is_err());
    drop(erased);
    assert_eq!(log.counts(), (1, 1, 1));
    reports.expect_none();
}

#[test]
fn provided_implementations_are_cleaned_up_through_dyn() {
    let mut reaper = Reaper::new();
    expect_cleaned_through_dyn(AsyncDropGuard::new);
    expect_cleaned_through_dyn(|guard| AsyncDropGuard::new(reaper.adopt(guard)));
    expect_cleaned_through_dyn(|guard| AsyncDropGuard::new(Some(guard)));
    expect_cleaned_through_dyn(|guard| AsyncDropGuard::new(vec![guard]));
    expect_cleaned_through_dyn(AsyncDropArc::new);
    expect_cleaned_through_dyn(AsyncDropMutex::new);
    expect_cleaned_through_dyn(|guard| AsyncDropShared::new(std::future::ready(guard)));
    expect_cleaned_through_dyn(|guard| AsyncDropResult::new(Ok::<_, ()>(guard)));
    expect_cleaned_through_dyn(|guard| {
        AsyncDropGuard::with_cleanup(guard, async |mut guard: AsyncDropGuard<Resource>| {
            guard.async_drop().await
        })
    });
    expect_cleaned_through_dyn(|guard| {
        let mut map = AsyncDropHashMap::new();
        assert!(map.insert("it", guard).is_none());
        map
    });
    expect_cleaned_through_dyn(|guard| {
        let mut vec = AsyncDropVec::new();
        vec.push(guard);
        vec
    });
    expect_cleaned_through_dyn(|guard| {
        let mut stack = AsyncDropStack::new();
        stack.push(guard);
        stack
    });
    #[cfg(feature = "tokio")]
    expect_cleaned_through_dyn(livedrop::sync::AsyncDropTokioMutex::new);
    block_on(reaper.async_drop()).unwrap();
}

fn checked(value: Resource) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(value)
}

fn live(value: Resource) -> AsyncDropGuard<Resource, Live> {
    AsyncDropGuard::live(value)
}

macro_rules! in_state {
    ($state:ident, $State:ty) => {
        mod $state {
            use super::*;

            #[test]
            fn an_option_is_cleaned_up_once() {
                let (log, reports) = (Arc::<Log>::default(), Reports::collect());
                let mut option = Some(super::$state(Resource::new(&log, 3, Ending::Err)));
                assert_eq!(run(option.async_drop_unboxed()), (4, Err(Failed)));
                assert!(option.is_none());
                assert_eq!(block_on(option.async_drop_impl()), Ok(()));
                assert_eq!(log.counts(), (1, 1, 1));
                reports.expect_none();
            }

            #[test]
            fn an_option_keeps_its_guard_when_cancelled() {
                for polls in 0..4 {
                    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
                    let mut option = Some(super::$state(Resource::plain(&log)));
                    cancel_after(polls, option.async_drop_unboxed());
                    assert!(option.is_some());
                    reports.expect_none();
                    block_on(option.async_drop_unboxed()).unwrap();
                    assert!(option.is_none());
                    assert_eq!(log.counts(), (1 + usize::from(polls > 0), 1, 1));
                    reports.expect_none();
                }
            }

            #[test]
            fn an_option_is_empty_after_a_panicking_cleanup() {
                let (log, reports) = (Arc::<Log>::default(), Reports::collect());
                let mut option = Some(super::$state(Resource::new(&log, 1, Ending::Panic)));
                let text = panic_of(|| block_on(option.async_drop_unboxed()));
                assert_eq!(text, "cleanup went wrong");
                assert!(option.is_none());
                assert_eq!(log.counts(), (1, 0, 1));
                reports.expect_none();
            }

            fn three(
                log: &Arc<Log>,
                endings: [Ending; 3],
            ) -> Vec<AsyncDropGuard<Resource, $State>> {
                // With several resources, the first poll polls each of them twice.
                let resource = |(index, ending)| Resource::new(log, 2 + index, ending);
                let resources = endings.into_iter().enumerate().map(resource);
                resources.map(super::$state).collect()
            }

            #[test]
            fn a_vec_is_cleaned_up_concurrently() {
                let log = Arc::<Log>::default();
                let mut guards = three(&log, [Ending::Ok; 3]);
                let mut cleanup = Box::pin(guards.async_drop_unboxed());
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(cleanup.as_mut().poll(&mut cx).is_pending());
                let (begun, ended, _) = log.counts();
                assert!(begun >= 2 && ended == 0, "the second begins before the first ends");
                block_on(cleanup).unwrap();
                assert!(guards.is_empty());
                assert_eq!(log.counts(), (3, 3, 3));
            }

            #[test]
            fn vec_cleans_the_rest_and_keeps_all_errors() {
                let log = Arc::<Log>::default();
                let mut guards = three(&log, [Ending::Err, Ending::Ok, Ending::Err]);
                let errors = block_on(guards.async_drop_unboxed()).unwrap_err();
                assert_eq!(errors.len(), 2);
                assert!(guards.is_empty());
                assert_eq!(log.counts(), (3, 3, 3));
            }

            #[test]
            fn vec_cleans_the_rest_and_resumes_the_panic() {
                let (log, reports) = (Arc::<Log>::default(), Reports::collect());
                let mut guards = three(&log, [Ending::Panic, Ending::Ok, Ending::Err]);
                let text = panic_of(|| block_on(guards.async_drop_unboxed()));
                assert_eq!(text, "cleanup went wrong");
                assert!(guards.is_empty());
                assert_eq!(log.counts(), (3, 2, 3));
                reports.expect_one("cleanup of Resource failed as well: Failed");
            }

            #[test]
            fn a_cancelled_vec_keeps_exactly_the_rest() {
                let mut rests = BTreeSet::new();
                for polls in 0..4_usize {
                    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
                    let mut guards = three(&log, [Ending::Err; 3]);
                    cancel_after(polls, guards.async_drop_unboxed());
                    let rest = guards.len();
                    assert_eq!(log.counts().2, 3 - rest);
                    let lost = reports.take();
                    assert_eq!(lost.len(), 3 - rest, "{lost:?}");
                    for report in lost {
                        assert!(report.starts_with("cleanup of Resource failed as well: Failed"));
                    }
                    let second = block_on(guards.async_drop_unboxed());
                    assert_eq!(second.map_or_else(|errors| errors.len(), |()| 0), rest);
                    assert_eq!((log.counts().1, log.counts().2), (3, 3));
                    reports.expect_none();
                    rests.insert(rest);
                }
                assert!(rests.contains(&1) || rests.contains(&2), "cancelled half-way: {rests:?}");
            }
        }
    };
}

in_state!(checked, Checked);
in_state!(live, Live);

/// A type with a guard as a member, generic over the guard's state.
struct Owner<S: Cleanable<Resource>> {
    member: Option<AsyncDropGuard<Resource, S>>,
}

#[async_trait]
impl<S: Cleanable<Resource>> AsyncDrop for Owner<S> {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        wait(1).await;
        self.member.async_drop_unboxed().await
    }
}

#[test]
fn an_owner_delegates_to_its_member() {
    let log = Arc::<Log>::default();
    let member = Some(AsyncDropGuard::live(Resource::plain(&log)));
    block_on(AsyncDropGuard::live(Owner { member }).async_drop()).result.unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn errors_fit_a_boxed_error() {
    fn fail() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut errors = CleanupErrors::from("first");
        errors.extend(["second", "third"]);
        Err(errors)?
    }
    assert_eq!(fail().unwrap_err().to_string(), "3 cleanups failed: first; second; third");
    assert_eq!(CleanupErrors::from("one").to_string(), "cleanup failed: one");
}

#[test]
fn errors_are_never_empty_and_keep_their_order() {
    assert_eq!(CleanupErrors::<u8>::from_errors([]), None);
    let errors = CleanupErrors::from_errors([1, 2, 3]).unwrap();
    assert_eq!((errors.len(), *errors.first()), (3, 1));
    assert_eq!(errors.iter().copied().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(errors.clone().into_iter().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(errors.into_first(), 1);
}

/// Cleans up the value through a trait object, and returns the error.
fn clean_as_object<T>(guard: AsyncDropGuard<T>) -> Option<T::Error>
where
    T: AsyncDrop + Send + 'static,
{
    let mut guard = AsyncDropGuard::map_without_cleanup(guard, |value| {
        let object: Box<dyn AsyncDrop<Error = T::Error> + Send> = Box::new(value);
        object
    });
    cancel_after(1, guard.async_drop());
    let result = block_on(guard.async_drop());
    assert!(guard.is_dropped());
    result.err()
}

#[test]
fn containers_are_cleaned_up_as_trait_objects() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let resource = || AsyncDropGuard::new(Resource::new(&log, 2, Ending::Err));
    let failed = |error: Option<CleanupErrors<Failed>>| error.is_some_and(|error| error.len() == 1);

    let mut map = AsyncDropHashMap::new();
    assert!(map.insert("key", resource()).is_none());
    assert!(failed(clean_as_object(map)));
    let mut row = AsyncDropVec::new();
    row.push(resource());
    assert!(failed(clean_as_object(row)));
    let mut stack = AsyncDropStack::new();
    let _key = stack.push(resource());
    assert_eq!(clean_as_object(stack).map(|errors| errors.len()), Some(1));
    assert!(failed(clean_as_object(AsyncDropGuard::new(vec![resource()]))));
    assert_eq!(clean_as_object(AsyncDropGuard::new(Some(resource()))), Some(Failed));
    assert_eq!(clean_as_object(AsyncDropGuard::new(resource())), Some(Failed));
    let adopted = reaper.adopt(resource());
    assert_eq!(clean_as_object(AsyncDropGuard::new(adopted)), Some(Failed));
    let shared = AsyncDropShared::<_, std::future::Ready<_>>::new_ready(resource());
    assert_eq!(clean_as_object(shared), Some(Failed));

    // A cancelled cleanup of a checked value restarts; the reaper's resumes.
    assert_eq!(log.counts(), (15, 8, 8));
    block_on(reaper.async_drop()).unwrap();
}

/// A cleanup written by hand. If the value holds a guard, the call panics that makes the future.
/// Otherwise the future panics in its own `Drop`.
struct PanicsAroundFuture(Option<AsyncDropGuard<ByHand>>);

struct PanicsInFutureDrop<'a>(&'a mut PanicsAroundFuture);

impl Future for PanicsInFutureDrop<'_> {
    type Output = Result<(), Infallible>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for PanicsInFutureDrop<'_> {
    fn drop(&mut self) {
        assert!(self.0.0.is_some(), "in the future's drop");
    }
}

impl AsyncDrop for PanicsAroundFuture {
    type Error = Infallible;

    fn async_drop_impl<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        assert!(self.0.is_none(), "no future");
        Box::pin(PanicsInFutureDrop(self))
    }
}

#[test]
fn panic_around_the_future_drops_the_inner_guards() {
    let unwinding = "ByHand was dropped without its cleanup";
    for (holds, text, report) in
        [(false, "in the future's drop", None), (true, "no future", Some(unwinding))]
    {
        let reports = Reports::collect_and_panic();
        let value = || PanicsAroundFuture(holds.then(|| AsyncDropGuard::new(ByHand)));
        let mut guard = AsyncDropGuard::new(value());
        assert_eq!(panic_of(|| block_on(guard.async_drop())), text);
        assert!(guard.is_dropped());
        reports.expect(report.as_slice());

        let mut vec = AsyncDropVec::new();
        vec.push(AsyncDropGuard::new(value()));
        assert_eq!(panic_of(|| block_on(vec.async_drop())), text);
        reports.expect(report.as_slice());
    }
}
