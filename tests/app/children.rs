//! What the child processes do. `processes.rs` starts them.

use std::future::pending;
use std::io::{Write, stdin, stdout};
use std::process::{ExitCode, Termination, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use livedrop::AsyncDropGuard;
use livedrop::app::{App, AppHandle, Ended};
use tokio::task::{AbortHandle, yield_now};

use crate::random;

/// Chooses what the child process does.
pub(crate) const CHILD: &str = "LIVEDROP_APP_CHILD";

const HOUR: Duration = Duration::from_secs(3600);

/// Tells the parent process. `println!` would be captured.
fn tell(line: &str) {
    let mut stdout = stdout().lock();
    writeln!(stdout, "{line}").unwrap();
    stdout.flush().unwrap();
}

/// An application without limits of time.
fn app() -> App {
    App::new().grace(HOUR).deadline(HOUR)
}

/// Does what `main() -> Ended<…>` does.
fn end<R: Termination>(ended: Ended<R, String>) -> ! {
    let code = ended.report();
    let number = (0..=255).find(|&number| ExitCode::from(number) == code);
    exit(number.unwrap().into())
}

/// Waits until the parent process ends this one.
fn wait_for_the_end() -> ! {
    stdin().read_line(&mut String::new()).unwrap();
    exit(99)
}

/// The children run this test. In other runs it does nothing.
#[test]
fn child() {
    let Ok(child) = std::env::var(CHILD) else { return };
    // A child that hangs ends some day.
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(120));
        exit(98)
    });
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    let mut paused = tokio::runtime::Builder::new_current_thread();
    let paused = paused.enable_all().start_paused(true).build().unwrap();
    match &*child {
        "load" => end(runtime.block_on(load())),
        "stubborn" => end(runtime.block_on(stubborn())),
        "blocked" => end(runtime.block_on(blocked())),
        "twice" => runtime.block_on(twice()),
        "both" => runtime.block_on(both()),
        "dropped" => runtime.block_on(dropped()),
        "embedded" => end(runtime.block_on(embedded())),
        "value" => end(runtime.block_on(app().run(async |_| Ok(ExitCode::from(7))))),
        "nothing" => end(runtime.block_on(app().run(async |_| Ok(())))),
        "error" => end(runtime.block_on(app().run(async |_| Err::<(), _>("no\nport".to_owned())))),
        "panic" => end(runtime.block_on(panics())),
        "slow" => end(paused.block_on(slow())),
        "hasty" => end(runtime.block_on(hasty())),
        _ => unreachable!(),
    }
}

/// Many tasks open and close values until the stop. Some leave theirs to the reaper.
async fn load() -> Ended<(), String> {
    let counts: Arc<[AtomicUsize; 2]> = Arc::default();
    let for_body = Arc::clone(&counts);
    let ended = app().run(async move |app| {
        let open = move || {
            let counts = Arc::clone(&for_body);
            async move {
                counts[0].fetch_add(1, SeqCst);
                Ok::<_, String>(AsyncDropGuard::with_cleanup((), move |()| async move {
                    yield_now().await;
                    counts[1].fetch_add(1, SeqCst);
                }))
            }
        };
        let worker = async |app: AppHandle| {
            while !app.is_stopping() {
                let mut opened = app.acquire(open()).await.unwrap();
                if random() % 2 == 0 {
                    opened.async_drop().await.unwrap();
                }
                yield_now().await;
            }
        };
        let tasks = (0..8).map(|_| {
            let (open, handle) = (open.clone(), app.clone());
            app.spawn(async move {
                loop {
                    let _opened = handle.acquire(open()).await;
                    yield_now().await;
                }
            })
        });
        let tasks: Vec<_> = tasks.collect();
        tell("ready");
        futures::future::join_all((0..8).map(|_| worker(app.clone()))).await;
        tasks.iter().for_each(AbortHandle::abort);
        Ok(())
    });
    let ended = ended.await;
    assert!(ended.by_signal);
    tell(&format!("{} opened, {} closed", counts[0].load(SeqCst), counts[1].load(SeqCst)));
    ended
}

/// Neither the body nor a cleanup ends.
async fn stubborn() -> Ended<(), String> {
    let ended = app().run(async |app| {
        drop(app.adopt(AsyncDropGuard::with_cleanup((), |()| pending::<()>())));
        tell("ready");
        app.stopping().await;
        tell("stopping");
        pending().await
    });
    ended.await
}

/// The body blocks its thread for ever.
async fn blocked() -> Ended<(), String> {
    let ended = app().run(async |_app| {
        tell("ready");
        wait_for_the_end()
    });
    ended.await
}

/// An application after the other, and then none.
async fn twice() {
    for _ in 0..2 {
        let ended = app().run(async |app| {
            tell("ready");
            app.stopping().await;
            Ok::<_, String>(())
        });
        assert!(ended.await.by_signal);
    }
    tell("ended");
    wait_for_the_end()
}

/// Two applications at a time. One ends by itself before the signal.
async fn both() {
    let short = app().run(async |_app| Ok::<_, String>(()));
    let long = app().run(async |app| {
        app.stopping().await;
        Ok::<_, String>(())
    });
    let short = async {
        assert!(!short.await.by_signal);
        tell("ready");
    };
    assert!(futures::future::join(long, short).await.0.by_signal);
    tell("ended");
    wait_for_the_end()
}

/// The future of an application is dropped.
async fn dropped() {
    let quiet = livedrop::hook::scoped(|_| {});
    let run = app().run(async |_app| pending::<Result<(), String>>().await);
    assert!(futures::future::poll_immediate(Box::pin(run)).await.is_none());
    drop(quiet);
    tell("ready");
    wait_for_the_end()
}

/// The application leaves the signals alone.
async fn embedded() -> Ended<(), String> {
    let ended = app().without_signals().run(async |app| {
        tell("ready");
        app.stopping().await;
        Ok(())
    });
    ended.await
}

/// The body panics while a cleanup fails.
async fn panics() -> Ended<(), String> {
    let ended = app().run(async |app| {
        let guard = AsyncDropGuard::with_cleanup((), |()| async { Err("disk full") });
        let _adopted = app.adopt(guard);
        panic!("of the body")
    });
    ended.await
}

/// The cleanup of one value fails, that of another never ends, and so does a task. Time is paused.
async fn slow() -> Ended<(), String> {
    let app = App::new().grace(Duration::from_millis(1500)).deadline(Duration::from_secs(4));
    let ended = app.run(async |app| {
        drop(app.adopt(AsyncDropGuard::with_cleanup("file", |_| async { Err("disk full") })));
        drop(app.adopt(AsyncDropGuard::with_cleanup(1_u8, |_| pending::<()>())));
        app.spawn(pending::<()>());
        Err("no port".to_owned())
    });
    ended.await
}

/// Ten values are abandoned soon.
async fn hasty() -> Ended<(), String> {
    let ended = app().run(async |app| {
        for number in 0..10_u8 {
            drop(app.adopt(AsyncDropGuard::with_cleanup(number, |_| pending::<()>())));
        }
        tell("ready");
        Ok(())
    });
    ended.await
}
