//! Applications in this process, without signals.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::Duration;

use futures::FutureExt;
use futures::future::poll_immediate;
use livedrop::app::{App, AppHandle, Ended};
use livedrop::hook::{self, Unhandled};
use livedrop::{Adopted, AsyncDropGuard};
use static_assertions::assert_impl_all;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Ending, Log, Resource};

assert_impl_all!(AppHandle: Clone, Send, Sync, std::fmt::Debug);

const SECOND: Duration = Duration::from_secs(1);

fn app() -> App {
    App::new().without_signals().grace(5 * SECOND).deadline(10 * SECOND)
}

fn adopt(app: &AppHandle, log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource, Adopted> {
    app.adopt(AsyncDropGuard::new(Resource { log: Arc::clone(log), waits: 3, ending }))
}

/// Awaits the end. Where time is paused, a hang fails at once.
async fn end_of<R, E>(run: impl Future<Output = Ended<R, E>>) -> Ended<R, E> {
    timeout(3600 * SECOND, run).await.expect("the application ends")
}

fn codes<R, E>(ended: Ended<R, E>) -> [bool; 3] {
    let code = ExitCode::from(ended);
    [0, 1, 2].map(|number| code == ExitCode::from(number))
}

#[tokio::test(start_paused = true)]
async fn value_of_the_body_is_returned_after_cleanups() {
    let (log, borrowed) = (Arc::<Log>::default(), AtomicUsize::new(0));
    let ended = app().run(async |app| {
        borrowed.fetch_add(1, SeqCst);
        drop(adopt(&app, &log, Ending::Ok));
        Ok::<_, &str>(7)
    });
    let ended = end_of(ended).await;
    assert_eq!((log.counts(), borrowed.into_inner()), ((1, 1, 1), 1));
    assert!(!ended.by_signal);
    assert_eq!(ended.into_result().unwrap(), 7);
    assert_eq!(codes(app().run(async |_| Ok::<_, &str>(7)).await), [true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn handle_shows_the_stop_and_what_is_left() {
    let log = Arc::<Log>::default();
    let ended = app().run(async |app| {
        let adopted = adopt(&app, &log, Ending::Ok);
        let before = format!("{app:?}");
        app.stop();
        drop(adopted);
        Ok::<_, &str>((before, format!("{app:?}")))
    });
    let (before, after) = end_of(ended).await.into_result().unwrap();
    assert!(before.starts_with("AppHandle { is_stopping: false, pending: [Pending {"), "{before}");
    assert!(before.contains("Resource"), "{before}");
    assert!(after.starts_with("AppHandle { is_stopping: true, pending: ["), "{after}");
}

#[tokio::test(start_paused = true)]
async fn the_error_counts_what_it_does_not_name() {
    let mut ended = end_of(app().run(async |_| Ok::<_, &str>(()))).await;
    (ended.more_tasks, ended.report.more_failures, ended.report.undecided) = (1, 2, 3);
    let error = ended.into_result().unwrap_err().to_string();
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines[..2], ["1 more tasks failed", "2 more cleanups failed"]);
    assert!(lines[2].starts_with("3 of the cleanups were not waited for"), "{error}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn the_default_application_is_the_new_one() {
    assert_eq!(format!("{:?}", App::default()), format!("{:?}", App::new()));
}

#[tokio::test(start_paused = true)]
async fn error_of_the_body_is_kept() {
    let log = Arc::<Log>::default();
    let run = || {
        app().run(async |app| {
            drop(adopt(&app, &log, Ending::Ok));
            Err::<(), _>("no port")
        })
    };
    let error = run().await.into_result().unwrap_err();
    assert_eq!(error.to_string(), "the body failed: no port");
    assert_eq!(format!("{error:?}"), "the body failed: \"no port\"");
    assert_eq!(error.body, Some(Err("no port")));
    assert_eq!(log.counts(), (1, 1, 1));
    assert_eq!(codes(run().await), [false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn panic_of_the_body_is_resumed_after_cleanups() {
    let log = Arc::<Log>::default();
    let run = app().run(async |app| -> Result<(), &str> {
        let _adopted = adopt(&app, &log, Ending::Err);
        panic!("of the body")
    });
    let payload = AssertUnwindSafe(end_of(run)).catch_unwind().await.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"of the body"));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn body_that_ignores_the_stop_is_dropped() {
    let log = Arc::<Log>::default();
    let begun = Instant::now();
    let ended = app().run(async |app| -> Result<(), &str> {
        let _adopted = adopt(&app, &log, Ending::Ok);
        app.stop();
        pending().await
    });
    let ended = end_of(ended).await;
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert_eq!(log.counts(), (1, 1, 1));
    let error = ended.into_result().unwrap_err();
    assert!(error.to_string().starts_with("the body did not end in time, and was dropped."));
    assert_eq!(error.to_string(), format!("{error:?}"));
    assert!(error.body.is_none() && error.exit_code() == ExitCode::from(1));
}

#[tokio::test(start_paused = true)]
async fn body_that_is_dropped_may_forget_a_guard() {
    let log = Arc::<Log>::default();
    let run = app().run(async |app| -> Result<(), &str> {
        let _adopted = adopt(&app, &log, Ending::Ok);
        let _checked = AsyncDropGuard::with_cleanup((), |()| async {});
        app.stop();
        pending().await
    });
    let payload = AssertUnwindSafe(end_of(run)).catch_unwind().await.unwrap_err();
    let message = payload.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("Forgot to call async_drop on Deferred<"), "{message}");
    assert_eq!(log.counts(), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn stopping_is_ready_at_the_stop() {
    fn check<F: Future<Output = ()> + Send + 'static>(future: F) -> F {
        future
    }
    let ended = app().run(async |app| {
        let mut stopping = Box::pin(check(app.stopping()));
        assert!(poll_immediate(&mut stopping).await.is_none() && !app.is_stopping());
        app.clone().stop();
        stopping.await;
        Ok::<_, &str>(app.is_stopping())
    });
    assert!(end_of(ended).await.into_result().unwrap());
}

#[tokio::test(start_paused = true)]
async fn spawned_task_is_awaited() {
    let log = Arc::<Log>::default();
    let task_log = Arc::clone(&log);
    let ended = app().run(async |app| {
        let handle = app.clone();
        app.spawn(async move {
            let mut adopted = adopt(&handle, &task_log, Ending::Ok);
            handle.stopping().await;
            sleep(4 * SECOND).await;
            adopted.async_drop().await
        });
        Ok::<_, &str>(())
    });
    end_of(ended).await.into_result().unwrap();
    assert_eq!(log.counts(), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn spawned_task_that_ignores_the_stop_is_dropped() {
    let log = Arc::<Log>::default();
    let (task_log, begun) = (Arc::clone(&log), Instant::now());
    let ended = app().run(async |app| {
        let adopted = adopt(&app, &task_log, Ending::Ok);
        app.spawn(async move {
            let _adopted = adopted;
            pending::<()>().await;
        });
        Ok::<_, &str>(())
    });
    let error = end_of(ended).await.into_result().unwrap_err();
    assert_eq!((begun.elapsed().as_secs(), log.counts()), (5, (1, 1, 1)));
    assert_eq!(error.tasks[0].message, "did not end in time, and was dropped");
    assert!(error.body == Some(Ok(())) && error.exit_code() == ExitCode::from(1));
}

#[tokio::test(start_paused = true)]
async fn failures_of_tasks_do_not_stop_the_app() {
    let ended = app().run(async |app| {
        app.spawn(async { panic!("of a task") });
        app.spawn(async { Err("disk full") });
        app.spawn(async { Ok::<(), &str>(()) });
        app.spawn(pending::<()>()).abort();
        sleep(SECOND).await;
        Ok::<_, &str>(app.is_stopping())
    });
    let ended = end_of(ended).await;
    assert_eq!(ended.body, Some(Ok(false)));
    let text = ended.into_result().unwrap_err().to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    for (line, end) in lines.into_iter().zip(["panicked: of a task", "failed: \"disk full\""]) {
        assert!(line.starts_with("the task spawned at tests/app/inside.rs:"), "{line}");
        assert!(line.ends_with(end), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn failure_of_a_task_is_told_at_once() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let by_hook = Arc::clone(&told);
    let hook = hook::scoped(move |unhandled: &Unhandled<'_>| {
        by_hook.lock().unwrap().push(unhandled.to_string());
        panic!("of the hook");
    });
    let ended = app().run(async |app| {
        app.spawn(async { Err("disk\nfull") });
        yield_now().await;
        Ok::<_, &str>(told.lock().unwrap().clone())
    });
    let ended = end_of(ended).await;
    drop(hook);
    let Some(Ok(texts)) = ended.body else { panic!("{ended:?}") };
    assert_eq!(texts, [ended.tasks[0].to_string()]);
    assert!(texts[0].ends_with(r#"failed: "disk\nfull""#), "{texts:?}");
}

#[tokio::test(start_paused = true)]
async fn only_the_first_failures_of_tasks_are_kept() {
    let ended = app().run(async |app| {
        for _ in 0..1030 {
            app.spawn(async { Err("disk full") });
        }
        Ok::<_, &str>(())
    });
    let ended = end_of(ended).await;
    assert_eq!((ended.tasks.len(), ended.more_tasks), (1024, 6));
    let text = ended.into_result().unwrap_err().to_string();
    assert_eq!(text.lines().last(), Some("6 more tasks failed"));
}

#[tokio::test(start_paused = true)]
async fn stop_on_drop_stops_at_a_panic() {
    let ended = app().run(async |app| {
        let stop = app.stop_on_drop();
        app.spawn(async move {
            let _stop = stop;
            panic!("of a task")
        });
        app.stopping().await;
        Ok::<_, &str>(())
    });
    assert_eq!(end_of(ended).await.tasks[0].message, "panicked: of a task");
}

#[tokio::test(start_paused = true)]
async fn late_task_is_dropped_without_a_poll() {
    let kept = Mutex::new(None);
    let ended = app().run(async |app| {
        *kept.lock().unwrap() = Some(app);
        Ok::<_, &str>(())
    });
    end_of(ended).await.into_result().unwrap();
    let app = kept.into_inner().unwrap().unwrap();
    let polled = Arc::new(AtomicUsize::new(0));
    let in_task = Arc::clone(&polled);
    let task = app.spawn(async move {
        in_task.fetch_add(1, SeqCst);
    });
    while !task.is_finished() {
        yield_now().await;
    }
    assert_eq!((polled.load(SeqCst), Arc::strong_count(&polled)), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn task_of_a_cleanup_is_dropped_without_a_poll() {
    let polled = Arc::new(AtomicUsize::new(0));
    let in_task = Arc::clone(&polled);
    let ended = app().run(async |app| {
        let handle = app.clone();
        let cleanup = move |()| async move {
            handle.stopping().await;
            sleep(SECOND).await; // now the body and the tasks have ended
            handle.spawn(async move {
                in_task.fetch_add(1, SeqCst);
            });
            sleep(SECOND).await;
        };
        drop(app.adopt(AsyncDropGuard::with_cleanup((), cleanup)));
        Ok::<_, &str>(())
    });
    assert_eq!((end_of(ended).await.tasks.len(), polled.load(SeqCst)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn task_of_the_runtime_may_adopt_in_the_end() {
    let (log, in_task) = (Arc::<Log>::default(), Arc::<Log>::default());
    let log_of_task = Arc::clone(&in_task);
    let ended = app().run(async |app| {
        let first = adopt(&app, &log, Ending::Ok);
        tokio::spawn(async move {
            app.stopping().await;
            sleep(SECOND).await; // the body has ended, and the reaper waits for `first`
            let _second = adopt(&app, &log_of_task, Ending::Ok);
            drop(first);
            sleep(SECOND).await;
        });
        Ok::<_, &str>(())
    });
    let ended = end_of(ended).await;
    assert_eq!((log.counts(), in_task.counts()), ((1, 1, 1), (1, 1, 1)));
    assert_eq!(ended.report.cleaned, 2);
}

#[tokio::test(start_paused = true)]
async fn failed_cleanup_is_in_the_result() {
    let log = Arc::<Log>::default();
    let quiet = hook::scoped(|_| {});
    let ended = app().run(async |app| {
        drop(adopt(&app, &log, Ending::Err));
        drop(adopt(&app, &log, Ending::Panic));
        Ok::<_, &str>(())
    });
    let error = end_of(ended).await.into_result().unwrap_err();
    drop(quiet);
    let text = error.to_string();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.starts_with("could not clean up Resource (created at tests/app/inside.rs:"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.ends_with(": Failed") || line.contains(": panicked: ")));
    assert_eq!(error.exit_code(), ExitCode::from(1));
}

#[tokio::test(start_paused = true)]
async fn only_the_first_failures_of_cleanups_are_kept() {
    let log = Arc::<Log>::default();
    let _hook = hook::scoped(|_| {});
    let ended = app().run(async |app| {
        for _ in 0..1030 {
            drop(adopt(&app, &log, Ending::Err));
        }
        Ok::<_, &str>(())
    });
    let error = end_of(ended).await.into_result().unwrap_err();
    assert_eq!((error.report.failures.len(), error.report.more_failures), (1024, 6));
    assert_eq!(error.to_string().lines().last(), Some("6 more cleanups failed"));
}

#[tokio::test(start_paused = true)]
async fn cleanup_that_never_ends_is_abandoned() {
    let begun = Instant::now();
    let ended = app().run(async |app| {
        let stuck = AsyncDropGuard::with_cleanup((), |()| pending::<()>());
        drop(app.adopt(stuck));
        Ok::<_, &str>(())
    });
    let error = end_of(ended).await.into_result().unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 10);
    let text = error.to_string();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("1 abandoned, because ") && lines[0].contains("`App::deadline`"));
    assert!(lines[1].contains("tests/app/inside.rs:") && lines.len() == 2, "{text}");
    assert_eq!(error.exit_code(), ExitCode::from(2));
}

#[tokio::test(start_paused = true)]
async fn short_deadline_limits_the_grace_period() {
    let begun = Instant::now();
    let ended = app().deadline(2 * SECOND).run(async |app| -> Result<(), &str> {
        app.stop();
        pending().await
    });
    let _error = end_of(ended).await.into_result().unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn busy_body_does_not_delay_cleanups() {
    let (cleaned, wait) = mpsc::channel();
    let ended = app().run(async |app| {
        let guard = AsyncDropGuard::with_cleanup((), move |()| async move {
            yield_now().await;
            cleaned.send(()).unwrap();
        });
        drop(app.adopt(guard));
        wait.recv() // blocks the thread of the body
    });
    end_of(ended).await.into_result().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn cleanup_that_blocks_does_not_delay_others() {
    let both = Arc::new(Barrier::new(2));
    let ended = app().run(async |app| {
        for _ in 0..2 {
            let both = Arc::clone(&both);
            let cleanup = move |()| async move {
                both.wait();
            };
            drop(app.adopt(AsyncDropGuard::with_cleanup((), cleanup)));
        }
        Ok::<_, &str>(())
    });
    end_of(ended).await.into_result().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cleanup_that_blocks_is_not_waited_for() {
    let (end, wait) = mpsc::channel::<()>();
    let (begun, is_blocked) = tokio::sync::oneshot::channel();
    let app = app().grace(Duration::ZERO).deadline(Duration::from_millis(1));
    let ended = app.run(async |app| {
        let wait = Mutex::new(wait);
        let cleanup = move |()| async move {
            begun.send(()).unwrap();
            let _closed = wait.into_inner().unwrap().recv();
        };
        drop(app.adopt(AsyncDropGuard::with_cleanup((), cleanup)));
        is_blocked.await
    });
    let error = end_of(ended).await.into_result().unwrap_err();
    drop(end);
    let text = error.to_string();
    assert!(text.starts_with("1 of the cleanups were not waited for, because"), "{text}");
    assert_eq!(error.exit_code(), ExitCode::from(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn task_that_blocks_its_thread_is_named() {
    let (end, wait) = mpsc::channel::<()>();
    let (begun, is_blocked) = tokio::sync::oneshot::channel();
    let app = app().grace(Duration::ZERO).deadline(Duration::from_millis(1));
    let ended = app.run(async |app| {
        app.spawn(async move {
            begun.send(()).unwrap();
            let _closed = wait.recv();
        });
        is_blocked.await
    });
    let error = end_of(ended).await.into_result().unwrap_err();
    drop(end);
    let text = error.to_string();
    assert!(text.starts_with("1 of the tasks spawned at tests/app/inside.rs:"), "{text}");
    assert_eq!(error.exit_code(), ExitCode::from(2));
}

#[tokio::test(start_paused = true)]
async fn dropped_run_is_reported_and_cleaned_up() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&reports);
    let hook = hook::scoped(move |unhandled: &Unhandled<'_>| {
        told.lock().unwrap().push(unhandled.to_string());
    });
    let (log, task_log) = (Arc::<Log>::default(), Arc::<Log>::default());
    let in_task = Arc::clone(&task_log);
    let mut run = Box::pin(app().run(async |app| -> Result<(), &str> {
        let _adopted = adopt(&app, &log, Ending::Ok);
        let adopted = adopt(&app, &in_task, Ending::Ok);
        app.spawn(async move {
            let _adopted = adopted;
            pending::<()>().await;
        });
        pending().await
    }));
    let line = line!() - 9;
    assert!(poll_immediate(&mut run).await.is_none());
    drop(run);
    drop(hook);
    let reports = std::mem::take(&mut *reports.lock().unwrap());
    assert_eq!(reports.len(), 1, "{reports:?}");
    let site = format!("tests/app/inside.rs:{line}:");
    assert!(reports[0].contains("Reaper") && reports[0].contains(&site), "{reports:?}");
    while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 0 {
        yield_now().await;
    }
    assert_eq!((log.counts(), task_log.counts()), ((1, 1, 1), (1, 1, 1)));
}

#[tokio::test(start_paused = true)]
async fn no_task_is_left_and_apps_follow_each_other() {
    for number in 0..3 {
        let ended = app().run(async |app| {
            let adopted = adopt(&app, &Arc::default(), Ending::Ok);
            app.spawn(async move { drop(adopted) });
            Ok::<_, &str>(number)
        });
        assert_eq!(end_of(ended).await.into_result().unwrap(), number);
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    }
}

/// Later, the panic would be in a task of its own, and a body that ignores the stop would never end.
#[test]
fn runtime_without_timers_is_refused_at_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let run = app().run(async |_| -> Result<(), &str> { panic!("of the body") });
    let run = || runtime.block_on(run);
    let payload = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
    let message = payload.downcast_ref::<String>().expect("it is not the panic of the body");
    assert!(message.contains("timers are disabled"), "{message}");
}

#[tokio::test]
async fn run_can_be_spawned() {
    let run = app().run(async |app| {
        app.stopping().now_or_never();
        Ok::<_, &str>(1)
    });
    assert_eq!(tokio::spawn(run).await.unwrap().into_result().unwrap(), 1);
}
