//! `testing::leaks`, `at_every_poll` and `cancel_after`.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fmt::{self, Debug};
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{
    Ending, Failed, Log, Reports, Resource, alone, block_on, child, created_at, is_child, panic_of,
    wait,
};
use futures::channel::oneshot;
use livedrop::collections::AsyncDropStack;
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};
use livedrop::testing::{at_every_poll, cancel_after, leaks};
use livedrop::{Adopted, AsyncDropGuard, ReaperHandle, with_async_drop};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

fn log() -> Arc<Log> {
    Arc::default()
}

const LINE_OF_RESOURCE: u32 = line!() + 3;

fn resource(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(Resource::new(log, 2, ending))
}

/// Both flavours of a tokio runtime.
fn runtimes() -> [Runtime; 2] {
    [
        Builder::new_current_thread().enable_all().start_paused(true).build().unwrap(),
        Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(),
    ]
}

/// The lines of the list in a panic, after the first one.
#[track_caller]
fn list<R>(f: impl FnOnce() -> R) -> Vec<String> {
    let text = panic_of(f);
    let mut lines = text.lines();
    let first = lines.next().unwrap();
    assert!(first.contains(" (tests/it/testing.rs:"), "{text}");
    // An item has an indent of two spaces, and its advice a larger one.
    lines.filter(|line| !line.starts_with("    ")).map(|line| line.trim().to_owned()).collect()
}

#[track_caller]
fn expect_list<R>(beginnings: &[&str], f: impl FnOnce() -> R) {
    let list = list(f);
    let as_expected = list.len() == beginnings.len()
        && list.iter().zip(beginnings).all(|(line, beginning)| line.starts_with(beginning));
    assert!(as_expected, "expected {beginnings:?}, got {list:#?}");
}

#[test]
fn a_test_that_leaves_nothing_returns_its_output() {
    let log = log();
    let body = async |reaper: ReaperHandle| {
        drop(reaper.adopt(resource(&log, Ending::Ok)));
        let mut guard = reaper.adopt(resource(&log, Ending::Ok));
        guard.async_drop().await.unwrap();
        7
    };
    assert_eq!(block_on(leaks(body)), 7);
    assert_eq!(log.counts(), (2, 2, 2));
    for runtime in runtimes() {
        assert_eq!(runtime.block_on(leaks(body)), 7);
    }
    assert_eq!(log.counts(), (6, 6, 6));
}

#[test]
fn a_forgotten_guard_is_listed_with_its_site() {
    let forgets = async |_: ReaperHandle| drop(resource(&log(), Ending::Ok));
    let site = created_at(file!(), LINE_OF_RESOURCE);
    let beginning = format!("Forgot to call async_drop on Resource{site}");
    expect_list(&[&beginning], || block_on(leaks(forgets)));
    for runtime in runtimes() {
        expect_list(&[&beginning], || runtime.block_on(leaks(forgets)));
    }
}

#[test]
fn a_failed_cleanup_of_an_orphan_is_listed() {
    for runtime in runtimes() {
        let fails = async |reaper: ReaperHandle| {
            drop(reaper.adopt(resource(&log(), Ending::Err)));
        };
        let failed = "the reaper could not clean up Resource";
        expect_list(&[failed], || runtime.block_on(leaks(fails)));
    }
}

#[test]
fn owners_that_are_alive_are_listed() {
    static KEPT: Mutex<Option<AsyncDropGuard<Resource, Adopted>>> = Mutex::new(None);
    for runtime in runtimes() {
        let log = log();
        let keeps = async |reaper: ReaperHandle| {
            *KEPT.lock().unwrap() = Some(reaper.adopt(resource(&log, Ending::Ok)));
            let labelled = reaper.with_label("peer 7");
            let task = tokio::spawn(with_async_drop(
                labelled.adopt(resource(&log, Ending::Ok)),
                async |_| pending::<Result<(), Failed>>().await,
            ));
            drop(task);
            std::mem::forget(reaper.adopt(resource(&log, Ending::Ok)));
            drop(reaper.adopt(resource(&log, Ending::Ok)));
            reaper.adopt(resource(&log, Ending::Ok))
        };
        let site = created_at(file!(), LINE_OF_RESOURCE);
        let alive = format!("still alive: Resource{site}");
        let in_task = format!("still alive: Resource \"peer 7\"{site}");
        expect_list(&[&alive, &in_task, &alive, &alive], || runtime.block_on(leaks(keeps)));
        assert_eq!(log.counts().0, 1, "the orphan is cleaned up");
        drop(runtime);
        let reports = Reports::collect();
        KEPT.lock().unwrap().take();
        reports.expect_none();
    }
}

/// The inner guard is alive until the cleanup of the outer one has ended.
#[test]
fn a_guard_inside_an_orphan_is_not_listed() {
    let log = log();
    let nests = async |reaper: ReaperHandle| {
        let inner = reaper.adopt(resource(&log, Ending::Ok));
        drop(reaper.adopt(AsyncDropGuard::with_cleanup(inner, |mut inner| async move {
            wait(3).await;
            inner.async_drop().await.unwrap();
        })));
    };
    block_on(leaks(nests));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn an_opening_that_was_cancelled_is_finished() {
    let log = log();
    let cancels = async |reaper: ReaperHandle| {
        let log = Arc::clone(&log);
        let open = reaper.acquire(async move {
            wait(5).await;
            Ok::<_, Infallible>(resource(&log, Ending::Ok))
        });
        assert!(cancel_after(1, open).await.is_none());
    };
    block_on(leaks(cancels));
    assert_eq!(log.counts(), (1, 1, 1));
}

/// Otherwise a body that waits for the end of a cleanup would wait forever.
#[test]
fn orphans_are_cleaned_up_while_the_body_runs() {
    let log = log();
    let waits = async |reaper: ReaperHandle| {
        let shared = AsyncDropArc::new(reaper.adopt(resource(&log, Ending::Ok)));
        let weak = AsyncDropArc::downgrade(&shared);
        drop(shared);
        weak.gone().await;
        assert_eq!(log.counts(), (1, 1, 1));
    };
    block_on(leaks(waits));
}

/// Its cleanup ends on a timer and on another task.
#[test]
fn a_cleanup_that_needs_the_runtime_ends() {
    for runtime in runtimes() {
        let needs_it = async |reaper: ReaperHandle| {
            drop(reaper.adopt(AsyncDropGuard::with_cleanup((), |()| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                tokio::spawn(tokio::task::yield_now()).await.unwrap();
            })));
        };
        runtime.block_on(leaks(needs_it));
    }
}

#[test]
fn more_orphans_than_one_round_are_drained() {
    let log = log();
    let many = async |reaper: ReaperHandle| {
        for _ in 0..1_000 {
            drop(reaper.adopt(resource(&log, Ending::Ok)));
        }
    };
    block_on(leaks(many));
    assert_eq!(log.counts(), (1_000, 1_000, 1_000));
}

/// A task of a current-thread runtime has the hook of the test.
#[test]
fn a_task_that_forgets_is_listed_on_one_thread() {
    let [current_thread, multi_thread] = runtimes();
    let spawns = async |_: ReaperHandle| {
        let task = tokio::spawn(async { drop(resource(&log(), Ending::Ok)) });
        task.await.map_err(|error| error.is_panic())
    };
    expect_list(&["Forgot to call async_drop on Resource"], || {
        current_thread.block_on(leaks(spawns))
    });
    assert_eq!(multi_thread.block_on(leaks(spawns)), Err(true), "the hook of the process panics");
}

#[test]
fn a_panic_of_the_body_is_resumed_after_its_cleanups() {
    #[derive(Debug, PartialEq)]
    struct Payload(u32);

    let log = log();
    let panics = async |reaper: ReaperHandle| {
        let _guard = reaper.adopt(resource(&log, Ending::Ok));
        wait(1).await;
        panic_any(Payload(3));
    };
    let payload = catch_unwind(AssertUnwindSafe(|| block_on(leaks(panics)))).unwrap_err();
    assert_eq!(*payload.downcast::<Payload>().unwrap(), Payload(3));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn a_panic_of_the_body_prints_the_list() {
    if is_child() {
        block_on(leaks(async |reaper| {
            let _lost = resource(&log(), Ending::Ok);
            std::mem::forget(reaper.adopt(resource(&log(), Ending::Ok)));
            panic!("the assertion of the test");
        }));
    }
    let output = child("testing::a_panic_of_the_body_prints_the_list");
    assert_eq!(output.status.code(), Some(101), "it does not abort");
    let printed = String::from_utf8(output.stderr).unwrap();
    for expected in [
        "the assertion of the test",
        "leaks (tests/it/testing.rs:",
        "\n  Resource was dropped without its cleanup",
        "\n  still alive: Resource",
    ] {
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
}

#[test]
fn an_output_whose_drop_panics_does_not_abort() {
    struct PanicsInDrop;

    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic!("in the drop of the output");
        }
    }

    let body = async |_: ReaperHandle| {
        drop(resource(&log(), Ending::Ok));
        PanicsInDrop
    };
    expect_list(&["Forgot to call async_drop on Resource"], || block_on(leaks(body)));
}

#[test]
fn two_at_a_time_lose_no_report() {
    let short = leaks(async |_| wait(1).await);
    let long = leaks(async |_| {
        wait(2).await;
        drop(resource(&log(), Ending::Ok));
    });
    expect_list(&["Forgot to call async_drop on Resource"], || {
        block_on(futures::future::join(short, long))
    });
    assert!(
        panic_of(|| drop(resource(&log(), Ending::Ok))).starts_with("Forgot"),
        "no hook is left"
    );
}

#[test]
fn the_hook_of_the_thread_is_restored() {
    let reports = Reports::collect();
    expect_list(&["Forgot to call async_drop on Resource"], || {
        block_on(leaks(async |_| drop(resource(&log(), Ending::Ok))));
    });
    reports.expect_none();
    drop(resource(&log(), Ending::Ok));
    reports.expect_one("Forgot to call async_drop on Resource");
}

/// Formatting a report may call the hook again.
#[test]
fn a_report_during_a_report_is_listed() {
    struct Forgets;

    impl Debug for Forgets {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            drop(resource(&log(), Ending::Ok));
            f.write_str("an error")
        }
    }

    let both_fail = async |_: ReaperHandle| {
        let guard = AsyncDropGuard::with_cleanup((), |()| async { Err(Forgets) });
        let failed = with_async_drop(guard, async |_| Err::<(), _>(Forgets)).await;
        assert!(failed.is_err());
    };
    let listed = ["Forgot to call async_drop on Resource", "cleanup of Deferred<()"];
    expect_list(&listed, || block_on(leaks(both_fail)));
}

#[test]
fn a_hook_of_the_body_gets_what_the_test_expects() {
    let expected = block_on(leaks(async |_| {
        let reports = Reports::collect();
        drop(resource(&log(), Ending::Ok));
        reports.take().len()
    }));
    assert_eq!(expected, 1);
}

#[test]
fn a_timeout_names_the_cleanup_that_never_ends() {
    let [runtime, _] = runtimes();
    let never_ends = async |reaper: ReaperHandle| {
        drop(reaper.adopt(AsyncDropGuard::with_cleanup((), |()| pending::<()>())));
    };
    let text = panic_of(|| {
        runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(1), leaks(never_ends)).await
        })
    });
    assert!(text.lines().next().unwrap().ends_with(", dropped before its end:"), "{text}");
    assert!(text.contains("\n  still orphaned: Deferred"), "{text}");
}

#[test]
fn a_dropped_watch_does_not_abort_an_unwinding_thread() {
    alone("testing::a_dropped_watch_does_not_abort_an_unwinding_thread", || {
        let text = panic_of(|| {
            let mut future = Box::pin(leaks(async |reaper| {
                let _held = reaper.adopt(resource(&log(), Ending::Ok));
                pending::<()>().await;
            }));
            assert!(futures::FutureExt::now_or_never(&mut future).is_none());
            panic!("elsewhere");
        });
        assert_eq!(text, "elsewhere");
    });
}

#[test]
fn polls_are_counted_and_the_future_is_dropped_at_once() {
    let polls = Cell::new(0);
    let future = || async {
        for _ in 0..3 {
            polls.set(polls.get() + 1);
            wait(1).await;
        }
        "output"
    };
    for limit in 0..=3 {
        polls.set(0);
        assert_eq!(block_on(cancel_after(limit, future())), None);
        assert_eq!(polls.get(), limit);
    }
    assert_eq!(block_on(cancel_after(4, future())), Some("output"));

    // The last poll left it pending for good. It is not awaited again.
    assert_eq!(block_on(cancel_after(1, pending::<()>())), None);
}

#[test]
fn between_two_polls_it_waits_for_a_wake() {
    for runtime in runtimes() {
        let sleeps = || tokio::time::sleep(Duration::from_millis(5));
        let slept = async { cancel_after(2, sleeps()).await };
        assert_eq!(runtime.block_on(slept), Some(()), "the timer woke the second poll");
    }
}

#[test]
fn an_adopted_guard_survives_every_poll() {
    let (log, runs) = (log(), Cell::new(0));
    let output = block_on(at_every_poll(async |reaper| {
        runs.set(runs.get() + 1);
        let guard = reaper.adopt(resource(&log, Ending::Ok));
        with_async_drop(guard, async |_| {
            wait(2).await;
            Ok::<_, Failed>(5)
        })
        .await
    }));
    assert_eq!(output, Ok(5));
    // The body and the cleanup wait twice each. An unpolled future does not begin.
    let polls = 5;
    assert_eq!(runs.get(), polls);
    assert_eq!(log.counts(), (polls, polls, polls));
}

#[test]
fn a_guard_that_is_lost_at_one_poll_is_found() {
    for (waits, dropped) in [(0, "1 poll"), (1, "2 polls")] {
        let once_lost = async |reaper: ReaperHandle| {
            wait(waits).await;
            let guard = resource(&log(), Ending::Ok);
            wait(1).await;
            let mut guard = reaper.adopt(guard);
            wait(1).await;
            guard.async_drop().await.unwrap();
        };
        let text = panic_of(|| block_on(at_every_poll(once_lost)));
        let beginning = "at_every_poll (tests/it/testing.rs:";
        assert!(text.starts_with(beginning), "{text}");
        let end = format!("), dropped after {dropped}:");
        assert!(text.lines().next().unwrap().ends_with(&end), "{text}");
        assert!(text.contains("\n  Forgot to call async_drop on Resource"), "{text}");
    }
}

#[test]
fn a_cleanup_that_is_cancelled_in_its_middle_is_found() {
    let cancelled = async |_: ReaperHandle| {
        let mut guard = resource(&log(), Ending::Ok);
        guard.async_drop().await.unwrap();
    };
    expect_list(&["async_drop on Resource was cancelled before it finished"], || {
        block_on(at_every_poll(cancelled));
    });
}

#[test]
fn each_poll_works_on_every_executor() {
    for runtime in runtimes() {
        let opened = RefCell::new(0);
        let output = runtime.block_on(at_every_poll(async |reaper| {
            let guard = reaper.adopt(AsyncDropGuard::with_cleanup((), |()| async {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }));
            *opened.borrow_mut() += 1;
            let (send, receive) = oneshot::channel();
            let task = tokio::spawn(async move { send.send(3) });
            let received = with_async_drop(guard, async |_| {
                Ok::<_, Infallible>(receive.await.expect("the task sends"))
            });
            let received = received.await;
            task.await.unwrap().ok();
            received
        }));
        assert_eq!(output, Ok(3));
        assert!(opened.into_inner() > 1);
    }
}

/// `cancellation` does not wait for a wake, and drains at the end. Here the wakers are real, and the orphans are
/// polled beside the body.
#[test]
fn the_helpers_survive_every_poll_on_a_runtime() {
    for runtime in runtimes() {
        let (log, opened) = (log(), Cell::new(0));
        let make = || {
            opened.set(opened.get() + 1);
            resource(&log, Ending::Ok)
        };
        runtime.block_on(at_every_poll(async |reaper| {
            let ordered = reaper.ordered();
            let mut stack = AsyncDropStack::adopted(&reaper);
            let shared = AsyncDropMutex::new(reaper.adopt(make()));
            stack.push(ordered.adopt(make()));
            yield_now().await;
            stack.push(ordered.adopt(make()));
            with_async_drop!(shared, {
                shared.lock().await.touch();
                tokio::time::sleep(Duration::from_millis(1)).await;
                Ok::<_, Failed>(())
            })
            .unwrap();
            stack.async_drop().await.unwrap();
        }));
        let opened = opened.get();
        assert_eq!(log.counts(), (opened, opened, opened));
        assert!(opened > 6, "{opened}");
    }
}

#[test]
fn a_panic_at_a_poll_is_resumed() {
    let panics = async |_: ReaperHandle| {
        wait(1).await;
        panic!("in the body");
    };
    assert_eq!(panic_of(|| block_on(at_every_poll(panics))), "in the body");
}
