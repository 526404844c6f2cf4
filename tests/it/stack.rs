//! `AsyncDropStack`: cleans up guards of any types in the reverse order of their pushing.

use std::cell::Cell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run, wait,
};
use async_trait::async_trait;
use livedrop::collections::{AsyncDropStack, ErasedError, Key};
use livedrop::state::Armed;
use livedrop::testing::leaks;
use livedrop::{
    Adopted, AsyncDrop, AsyncDropGuard, Checked, CleanupErrors, Live, Reaper, ReaperHandle, scope,
    with_async_drop,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(AsyncDropStack<Checked>: Send, Sync, Unpin, std::fmt::Debug);
assert_impl_all!(AsyncDropStack<Live>: Send, Sync, Unpin, std::fmt::Debug);
assert_impl_all!(Key<Cell<*const ()>>: Copy, Send, Sync, Unpin, std::fmt::Debug);
assert_impl_all!(ErasedError: Send, Sync, Unpin, Error);
assert_not_impl_any!(AsyncDropStack: Clone);

/// The events, in order.
type Journal = Arc<Mutex<Vec<String>>>;

/// A value that records its events. Its cleanup waits, and then ends with `ending`.
struct Part {
    name: &'static str,
    journal: Journal,
    waits: usize,
    ending: Ending,
}

impl Part {
    fn new(name: &'static str, journal: &Journal, waits: usize, ending: Ending) -> Self {
        Self { name, journal: Arc::clone(journal), waits, ending }
    }

    fn write(&self, event: &str) {
        self.journal.lock().unwrap().push(format!("{event} {}", self.name));
    }
}

#[async_trait]
impl AsyncDrop for Part {
    type Error = String;

    async fn async_drop_impl(&mut self) -> Result<(), String> {
        self.write("begin");
        wait(self.waits).await;
        self.write("end");
        assert!(self.ending != Ending::Panic, "{} panics", self.name);
        if self.ending == Ending::Err { Err(format!("{} fails", self.name)) } else { Ok(()) }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.write("drop");
    }
}

fn taken(journal: &Journal) -> Vec<String> {
    std::mem::take(&mut journal.lock().unwrap())
}

fn texts(errors: &CleanupErrors<ErasedError>) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

/// Moves the value into a `Checked` guard.
fn rearmed<T: AsyncDrop, S: Armed>(guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<T> {
    AsyncDropGuard::new(AsyncDropGuard::into_inner_without_cleanup(guard))
}

/// Tests for guards in both states.
macro_rules! in_either_state {
    ($state:ident, $S:ty, |$value:ident| $guard:expr, $stack:expr) => {
        mod $state {
            use super::*;

            #[track_caller]
            fn stack() -> AsyncDropGuard<AsyncDropStack<$S>> {
                $stack
            }

            #[track_caller]
            fn guard<T: AsyncDrop>($value: T) -> AsyncDropGuard<T, $S> {
                $guard
            }

            fn part(name: &'static str, journal: &Journal) -> AsyncDropGuard<Part, $S> {
                guard(Part::new(name, journal, 1, Ending::Ok))
            }

            #[test]
            fn cleans_up_one_by_one_in_reverse_order() {
                let (journal, mut stack) = (Journal::default(), stack());
                stack.push(part("a", &journal));
                stack.push(part("b", &journal));
                stack.push(part("c", &journal));
                assert!(run(stack.async_drop()).1.is_ok());
                let expected = [
                    "begin c", "end c", "drop c", "begin b", "end b", "drop b", "begin a", "end a",
                    "drop a",
                ];
                assert_eq!(taken(&journal), expected);
            }

            #[test]
            fn cleans_the_rest_and_returns_errors_in_order() {
                let (journal, log) = (Journal::default(), Arc::new(Log::default()));
                let (mut stack, reports) = (stack(), Reports::collect());
                stack.push(guard(Part::new("a", &journal, 1, Ending::Err)));
                stack.push(part("b", &journal));
                stack.push(guard(Resource::new(&log, 0, Ending::Err)));
                let errors = block_on(stack.async_drop()).unwrap_err();
                assert_eq!(texts(&errors), ["Resource: Failed", "Part: \"a fails\""]);
                assert_eq!(
                    errors.to_string(),
                    "2 cleanups failed: Resource: Failed; Part: \"a fails\""
                );
                assert_eq!(errors.first().type_name(), "Resource");
                assert_eq!(format!("{:?}", errors.first()), "Resource: Failed");
                assert_eq!(log.counts(), (1, 1, 1));
                assert_eq!(taken(&journal).len(), 6);
                reports.expect_none();
            }

            #[test]
            fn erased_error_keeps_its_own_type() {
                let (log, mut stack) = (Arc::new(Log::default()), stack());
                stack.push(guard(Resource::new(&log, 0, Ending::Err)));
                let error = block_on(stack.async_drop()).unwrap_err().into_first();
                assert_eq!(error.downcast_ref::<String>(), None);
                assert_eq!(error.downcast_ref::<Failed>(), Some(&Failed));
                let error = error.downcast::<String>().unwrap_err();
                assert_eq!(error.downcast::<Failed>().unwrap(), Failed);
            }

            #[test]
            fn cleans_the_rest_and_resumes_the_first_panic() {
                let (journal, mut stack) = (Journal::default(), stack());
                let reports = Reports::collect();
                stack.push(guard(Part::new("a", &journal, 1, Ending::Panic)));
                stack.push(guard(Part::new("b", &journal, 1, Ending::Err)));
                stack.push(guard(Part::new("c", &journal, 1, Ending::Panic)));
                stack.push(part("d", &journal));
                assert_eq!(panic_of(|| block_on(stack.async_drop())), "c panics");
                let expected = [
                    "begin d", "end d", "drop d", "begin c", "end c", "drop c", "begin b", "end b",
                    "drop b", "begin a", "end a", "drop a",
                ];
                assert_eq!(taken(&journal), expected);
                let mut reported = reports.take();
                reported.sort();
                let failed = "cleanup of AsyncDropStack";
                assert_eq!(reported.len(), 2);
                assert!(reported[0].starts_with(failed) && reported[0].contains("b fails"));
                assert!(reported[1].starts_with(failed) && reported[1].contains("a panics"));
                assert!(stack.is_dropped());
                drop(stack);
                reports.expect_none();
            }

            #[test]
            fn cancelled_anywhere_the_next_call_finishes_the_rest() {
                let parts = |journal: &Journal| {
                    let mut stack = stack();
                    stack.push(guard(Part::new("a", journal, 2, Ending::Err)));
                    stack.push(part("b", journal));
                    stack.push(guard(Part::new("c", journal, 2, Ending::Err)));
                    stack
                };
                let total = run(parts(&Journal::default()).async_drop()).0;
                assert_eq!(total, 2 + 1 + 2 + 1);
                for polls in 0..total {
                    let (journal, reports) = (Journal::default(), Reports::collect());
                    let mut stack = parts(&journal);
                    cancel_after(polls, stack.async_drop());
                    assert!(!stack.is_dropped());
                    let before = taken(&journal);
                    let held = stack.len();
                    assert_eq!(before.iter().filter(|e| e.starts_with("drop")).count(), 3 - held);

                    let errors = block_on(stack.async_drop()).unwrap_err();
                    assert_eq!(texts(&errors), ["Part: \"c fails\"", "Part: \"a fails\""]);
                    let rest: Vec<String> = ["c", "b", "a"][3 - held..]
                        .iter()
                        .flat_map(|name| ["begin", "end", "drop"].map(|e| format!("{e} {name}")))
                        .collect();
                    assert_eq!(taken(&journal), rest);
                    drop(stack);
                    reports.expect_none();
                }
            }

            #[test]
            fn panic_before_a_cancellation_resumes_at_the_end() {
                let (journal, mut stack) = (Journal::default(), stack());
                stack.push(part("a", &journal));
                stack.push(guard(Part::new("b", &journal, 0, Ending::Panic)));
                cancel_after(1, stack.async_drop());
                assert_eq!(stack.len(), 1);
                assert_eq!(panic_of(|| block_on(stack.async_drop())), "b panics");
                assert!(taken(&journal).ends_with(&["drop a".to_owned()]));
            }

            #[test]
            fn forgotten_after_cancellation_reports_rest_and_errors() {
                let (journal, mut stack) = (Journal::default(), stack());
                let reports = Reports::collect();
                stack.push(part("a", &journal));
                stack.push(guard(Part::new("b", &journal, 0, Ending::Err)));
                cancel_after(1, stack.async_drop());
                drop(stack);
                let reported = reports.take();
                assert_eq!(reported.len(), 3, "{reported:?}");
                assert!(reported[0].starts_with("async_drop on AsyncDropStack"));
                assert!(reported[0].contains("was cancelled before it finished"));
                assert!(reported.iter().any(|text| text.contains("async_drop on Part")));
                assert!(reported.iter().any(|text| text.contains("b fails")));
            }

            #[test]
            fn forgotten_panics_and_drops_in_the_same_order() {
                let (journal, mut stack) = (Journal::default(), stack());
                stack.push(part("a", &journal));
                stack.push(part("b", &journal));
                let text = panic_of(|| drop(stack));
                assert!(text.starts_with("Forgot to call async_drop on AsyncDropStack"), "{text}");
                assert_eq!(taken(&journal), ["drop b", "drop a"]);
            }

            #[test]
            fn a_key_leads_to_its_value() {
                let (journal, mut stack) = (Journal::default(), stack());
                let a = stack.push(part("a", &journal));
                let log = Arc::new(Log::default());
                let resource = stack.push(guard(Resource::plain(&log)));
                assert_eq!(stack[a].name, "a");
                assert_eq!(stack[resource].touch(), 3);
                stack[a].waits = 5;
                assert_eq!(stack.get(a).unwrap().waits, 5);
                stack.get_mut(resource).unwrap().waits = 6;
                assert_eq!(stack[resource].waits, 6);
                block_on(stack.async_drop()).unwrap();
            }

            #[test]
            fn the_key_of_another_stack_is_refused() {
                let journal = Journal::default();
                let (mut stack, mut other) = (stack(), stack());
                let key = stack.push(part("a", &journal));
                other.push(part("b", &journal));
                assert!(other.get(key).is_none());
                assert!(other.get_mut(key).is_none());
                let refused = "this key to a Part is of another stack";
                assert!(panic_of(|| other[key].name).starts_with(refused));
                assert!(panic_of(|| other[key].waits = 1).starts_with(refused));
                block_on(stack.async_drop()).unwrap();
                block_on(other.async_drop()).unwrap();
            }

            #[test]
            fn key_of_a_cleaned_up_value_is_refused() {
                let (journal, mut stack) = (Journal::default(), stack());
                let a = stack.push(part("a", &journal));
                let b = stack.push(guard(Part::new("b", &journal, 0, Ending::Ok)));
                cancel_after(1, stack.async_drop());
                assert_eq!(stack[a].name, "a");
                assert!(stack.get(b).is_none() && stack.get_mut(b).is_none());
                assert!(panic_of(|| stack[b].name).starts_with("used Part after its cleanup"));
                // A new guard does not take the place of the removed one.
                let c = stack.push(part("c", &journal));
                let d = stack.push(part("d", &journal));
                assert!(stack.get(b).is_none());
                assert_eq!((stack[a].name, stack[c].name, stack[d].name), ("a", "c", "d"));
                assert_eq!((stack.len(), stack.is_empty()), (3, false));
                block_on(stack.async_drop()).unwrap();
            }

            #[test]
            fn keys_of_the_same_value_are_equal() {
                let journal = Journal::default();
                let (mut stack, mut other) = (stack(), stack());
                let (a, b) = (stack.push(part("a", &journal)), stack.push(part("b", &journal)));
                let of_other = other.push(part("a", &journal));
                assert_eq!(a, a);
                assert!(a != b && a != of_other);
                let hashes = [a, b, of_other].map(|key| {
                    let mut hasher = DefaultHasher::new();
                    key.hash(&mut hasher);
                    hasher.finish()
                });
                assert_eq!(HashSet::from(hashes).len(), 3);
                assert_eq!(HashSet::from([a, a, b, of_other]).len(), 3);
                assert_eq!(format!("{a:?}"), "Key<Part>");
                block_on(stack.async_drop()).unwrap();
                block_on(other.async_drop()).unwrap();
            }

            #[test]
            fn pop_all_moves_every_guard_and_key() {
                let (journal, mut stack) = (Journal::default(), stack());
                let a = stack.push(part("a", &journal));
                let b = stack.push(guard(Part::new("b", &journal, 1, Ending::Err)));
                let popped: AsyncDropGuard<AsyncDropStack<$S>, $S> = stack.pop_all();
                assert!(stack.is_empty() && popped.len() == 2);
                assert_eq!((popped[a].name, popped[b].name), ("a", "b"));
                assert!(stack.get(a).is_none());
                assert!(panic_of(|| stack[a].name).contains("`pop_all` moves the guards"));
                // A new guard in the same place has its own key.
                let c = stack.push(part("c", &journal));
                assert!(stack.get(a).is_none() && popped.get(c).is_none());
                block_on(stack.async_drop()).unwrap();
                assert_eq!(taken(&journal), ["begin c", "end c", "drop c"]);
                assert!(block_on(rearmed(popped).async_drop()).is_err());
                assert_eq!(taken(&journal).len(), 6);
            }

            #[test]
            fn pop_all_moves_errors_of_a_cancelled_cleanup() {
                let (journal, mut stack) = (Journal::default(), stack());
                stack.push(part("a", &journal));
                stack.push(guard(Part::new("b", &journal, 0, Ending::Err)));
                cancel_after(1, stack.async_drop());
                let mut popped = rearmed(stack.pop_all());
                block_on(stack.async_drop()).unwrap();
                let errors = block_on(popped.async_drop()).unwrap_err();
                assert_eq!(texts(&errors), ["Part: \"b fails\""]);
            }

            #[test]
            fn failed_constructor_cleans_up_its_finished_steps() {
                for fails in [false, true] {
                    let journal = Journal::default();
                    let built = block_on(with_async_drop(stack(), async |stack| {
                        stack.push(part("a", &journal));
                        stack.push(part("b", &journal));
                        if fails {
                            Err("a step fails")?;
                        }
                        Ok::<_, Box<dyn Error + Send + Sync>>(stack.pop_all())
                    }));
                    if fails {
                        assert_eq!(built.unwrap_err().to_string(), "a step fails");
                        assert_eq!(taken(&journal).len(), 6);
                    } else {
                        assert_eq!(taken(&journal), [""; 0]);
                        block_on(rearmed(built.unwrap()).async_drop()).unwrap();
                        assert_eq!(taken(&journal).len(), 6);
                    }
                }
            }

            #[test]
            fn deferred_future_runs_at_its_place_in_order() {
                let (journal, mut stack) = (Journal::default(), stack());
                stack.push(part("a", &journal));
                let in_future = Arc::clone(&journal);
                stack.defer(async move {
                    wait(1).await;
                    in_future.lock().unwrap().push("deferred".to_owned());
                });
                stack.push(part("b", &journal));
                assert_eq!(stack.len(), 3);
                assert_eq!(taken(&journal), [""; 0]);
                block_on(stack.async_drop()).unwrap();
                let expected =
                    ["begin b", "end b", "drop b", "deferred", "begin a", "end a", "drop a"];
                assert_eq!(taken(&journal), expected);
            }

            #[test]
            fn deferred_future_fails_and_panics_like_a_cleanup() {
                let (mut stack, reports) = (stack(), Reports::collect());
                stack.defer(async { Err(Failed) });
                let errors = block_on(stack.async_drop()).unwrap_err();
                assert!(errors.first().type_name().starts_with("DeferredFuture<"));
                assert!(matches!(errors.into_first().downcast::<Failed>(), Ok(Failed)));

                let (journal, mut stack) = (Journal::default(), super::$state::stack());
                stack.push(part("a", &journal));
                stack.defer(async { assert!(taken(&Journal::default()).len() > 1, "deferred") });
                assert_eq!(panic_of(|| block_on(stack.async_drop())), "deferred");
                assert_eq!(taken(&journal), ["begin a", "end a", "drop a"]);
                reports.expect_none();
            }

            #[test]
            fn deferred_future_resumes_after_a_cancelled_cleanup() {
                const WAITS: usize = 3;
                for polls in 0..=WAITS {
                    let (starts, mut stack) = (Arc::new(AtomicUsize::new(0)), stack());
                    let counter = Arc::clone(&starts);
                    stack.defer(async move {
                        counter.fetch_add(1, SeqCst);
                        wait(WAITS).await;
                    });
                    cancel_after(polls, stack.async_drop());
                    assert_eq!(run(stack.async_drop()).0, WAITS + 1 - polls);
                    assert_eq!(starts.load(SeqCst), 1);
                }
            }

            #[test]
            fn empty_stack_needs_only_its_own_cleanup() {
                let mut empty = stack();
                assert_eq!((empty.len(), empty.is_empty()), (0, true));
                assert_eq!(run(empty.async_drop()).0, 1);
                assert!(panic_of(|| drop(stack())).starts_with("Forgot to call async_drop on"));
            }

            #[test]
            fn value_that_panics_in_drop_stops_no_cleanup() {
                struct PanicsInDrop;
                #[async_trait]
                impl AsyncDrop for PanicsInDrop {
                    type Error = Infallible;
                    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
                        Ok(())
                    }
                }
                impl Drop for PanicsInDrop {
                    fn drop(&mut self) {
                        panic!("in drop");
                    }
                }
                let (journal, mut stack) = (Journal::default(), stack());
                stack.push(part("a", &journal));
                stack.push(guard(PanicsInDrop));
                assert_eq!(panic_of(|| block_on(stack.async_drop())), "in drop");
                assert_eq!(taken(&journal), ["begin a", "end a", "drop a"]);
            }

            #[test]
            fn stacks_nest() {
                let (journal, mut outer) = (Journal::default(), stack());
                outer.push(part("a", &journal));
                let mut inner = stack();
                inner.push(guard(Part::new("b", &journal, 1, Ending::Err)));
                outer.push(inner.pop_all());
                block_on(inner.async_drop()).unwrap();
                let error = block_on(outer.async_drop()).unwrap_err().into_first();
                assert!(error.type_name().starts_with("AsyncDropStack"));
                let inner = error.downcast::<CleanupErrors<ErasedError>>().unwrap();
                assert_eq!(texts(&inner), ["Part: \"b fails\""]);
            }

            #[test]
            fn debug_shows_the_types_and_no_value() {
                let (log, mut stack) = (Arc::new(Log::default()), stack());
                stack.push(guard(Resource::plain(&log)));
                assert_eq!(format!("{:?}", *stack), "AsyncDropStack [\"Resource\"]");
                block_on(stack.async_drop()).unwrap();
            }

            #[test]
            fn cleaning_up_is_send() {
                fn is_send(_: &impl Send) {}
                let mut stack = AsyncDropGuard::into_inner_without_cleanup(stack());
                is_send(&stack.async_drop_unboxed());
            }
        }
    };
}

in_either_state!(checked, Checked, |value| AsyncDropGuard::new(value), AsyncDropStack::new());
in_either_state!(
    live,
    Live,
    |value| AsyncDropGuard::live(value),
    AsyncDropGuard::into_checked(AsyncDropStack::live())
);

#[test]
fn lost_guard_is_reported_with_its_creation_site() {
    let reports = Reports::collect();
    let line = line!();
    let mut stack = AsyncDropStack::new();
    stack.defer(async {});
    let popped = stack.pop_all();
    let of_live = AsyncDropStack::live();
    drop((popped, of_live, stack));
    let reported = reports.take();
    assert_eq!(reported.len(), 4, "{reported:?}");
    let names = ["AsyncDropStack", "DeferredFuture<", "AsyncDropStack<Live>", "AsyncDropStack"];
    for ((text, name), offset) in reported.iter().zip(names).zip([3, 2, 4, 1]) {
        assert!(text.starts_with(&format!("Forgot to call async_drop on {name}")), "{text}");
        assert!(text.contains(&created_at(file!(), line + offset)), "{text}");
    }
}

#[test]
fn drops_last_first_also_after_a_panic() {
    let journal = Journal::default();
    let mut stack = AsyncDropStack::new();
    for name in ["a", "b", "c"] {
        stack.push(AsyncDropGuard::new(Part::new(name, &journal, 0, Ending::Ok)));
    }
    // The report of `c` panics.
    panic_of(|| drop(AsyncDropGuard::into_inner_without_cleanup(stack)));
    assert_eq!(taken(&journal), ["drop c", "drop b", "drop a"]);
}

#[test]
fn live_stack_gives_the_proof_and_the_errors() {
    let journal = Journal::default();
    let mut stack = AsyncDropStack::live();
    stack.push(AsyncDropGuard::live(Part::new("a", &journal, 1, Ending::Err)));
    let outcome = block_on(stack.async_drop());
    drop(outcome.proof);
    assert_eq!(texts(&outcome.result.unwrap_err()), ["Part: \"a fails\""]);
}

#[test]
fn live_stack_enters_scope_and_pop_all_leaves() {
    let (journal, reports) = (Journal::default(), Reports::collect());
    let stack = AsyncDropStack::live();
    let popped: AsyncDropGuard<AsyncDropStack<Live>, Live> =
        block_on(scope(stack, async |mut stack| {
            stack.push(AsyncDropGuard::live(Part::new("a", &journal, 1, Ending::Ok)));
            let popped = stack.pop_all();
            (stack.async_drop().await.proof, popped)
        }));
    assert_eq!(taken(&journal), [""; 0]);
    block_on(popped.async_drop()).result.unwrap();
    assert_eq!(taken(&journal), ["begin a", "end a", "drop a"]);
    reports.expect_none();
}

#[test]
fn cancelled_live_stack_panics_as_cancelled() {
    let journal = Journal::default();
    let mut stack = AsyncDropStack::live();
    stack.push(AsyncDropGuard::live(Part::new("a", &journal, 1, Ending::Ok)));
    let text = panic_of(|| cancel_after(1, stack.async_drop()));
    assert!(text.starts_with("async_drop on AsyncDropStack"), "{text}");
    assert!(text.contains("was cancelled before it finished"), "{text}");
}

/// A constructor that can fail or be cancelled at each step.
async fn start(
    reaper: &ReaperHandle,
    journal: &Journal,
    fails: bool,
) -> Result<AsyncDropGuard<AsyncDropStack<Adopted>, Adopted>, Failed> {
    let mut stack = AsyncDropStack::adopted(reaper);
    stack.push(reaper.adopt(AsyncDropGuard::new(Part::new("a", journal, 1, Ending::Ok))));
    wait(1).await;
    stack.push(reaper.adopt(AsyncDropGuard::new(Part::new("b", journal, 1, Ending::Ok))));
    wait(1).await;
    if fails { Err(Failed) } else { Ok(stack) }
}

#[test]
fn adopted_stack_goes_to_the_reaper_as_one() {
    let (a, b) = (["begin a", "end a", "drop a"], ["begin b", "end b", "drop b"]);
    let (journal, reports) = (Journal::default(), Reports::collect());
    let mut reaper = Reaper::new();
    let handle = reaper.handle();

    let mut finished = block_on(start(&handle, &journal, false)).unwrap();
    assert_eq!((finished.len(), taken(&journal).len()), (2, 0));
    block_on(finished.async_drop()).unwrap();
    assert_eq!(taken(&journal), [b, a].concat());

    assert!(block_on(start(&handle, &journal, true)).is_err());
    assert_eq!(taken(&journal), [""; 0]);
    assert!(block_on(reaper.drain()).failures.is_empty());
    assert_eq!(taken(&journal), [b, a].concat());

    for (polls, expected) in [(0, vec![]), (1, a.to_vec()), (2, [b, a].concat())] {
        cancel_after(polls, start(&handle, &journal, false));
        assert!(block_on(reaper.drain()).failures.is_empty());
        assert_eq!(taken(&journal), expected, "after {polls} polls");
    }
    block_on(reaper.async_drop()).unwrap();
    reports.expect_none();
}

#[test]
fn popped_checked_stack_can_be_adopted() {
    let journal = Journal::default();
    for polls in 0..=2 {
        block_on(leaks(async |reaper| {
            let mut stack = AsyncDropStack::new();
            stack.push(AsyncDropGuard::new(Part::new("a", &journal, 2, Ending::Ok)));
            let mut popped = reaper.adopt(stack.pop_all());
            stack.async_drop().await.unwrap();
            assert_eq!(taken(&journal), [""; 0]);
            cancel_after(polls, popped.async_drop());
        }));
        assert_eq!(taken(&journal), ["begin a", "end a", "drop a"], "after {polls} polls");
    }
}

#[test]
fn guard_cleaned_up_before_has_no_stack_entry() {
    let log = Arc::new(Log::default());
    let mut guard = AsyncDropGuard::new(Resource::plain(&log));
    block_on(guard.async_drop()).unwrap();
    let mut stack = AsyncDropStack::new();
    let key = stack.push(guard);
    assert!(stack.get(key).is_none() && stack.get_mut(key).is_none());
    assert!(panic_of(|| stack[key].touch()).starts_with("used Resource after its cleanup"));
    block_on(stack.async_drop()).unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn deferred_future_cleans_up_a_non_sync_value() {
    let mut stack = AsyncDropStack::new();
    let closed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&closed);
    let mut cell = AsyncDropGuard::with_cleanup(Cell::new(1), |cell| async move {
        counter.fetch_add(cell.into_inner(), SeqCst);
    });
    stack.defer(async move { cell.async_drop().await });
    block_on(stack.async_drop()).unwrap();
    assert_eq!(closed.load(SeqCst), 1);
}

#[test]
fn the_errors_go_into_a_boxed_error() {
    fn close(
        stack: &mut AsyncDropGuard<AsyncDropStack>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(block_on(stack.async_drop())?)
    }
    let mut stack = AsyncDropStack::new();
    stack.defer(async { Err(Failed) });
    assert!(close(&mut stack).unwrap_err().to_string().ends_with(": Failed"));
}

#[test]
fn a_key_and_its_copy_open_the_same() {
    let log = Arc::<Log>::default();
    let mut stack = AsyncDropStack::new();
    let first = stack.push(AsyncDropGuard::new(Resource::new(&log, 1, Ending::Ok)));
    let second = stack.push(AsyncDropGuard::new(Resource::new(&log, 2, Ending::Ok)));
    assert_eq!([first, second].map(|key| stack[key].waits), [1, 2]);
    assert_eq!(stack[Clone::clone(&second)].waits, 2);
    block_on(stack.async_drop()).unwrap();
}
