//! The hooks. A test that changes the hook of the process runs in its own process.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::support::{
    Ending, Failed, Log, Reports, Resource, alone, block_on, cancel_after, child, is_child,
    panic_of, wait,
};
use livedrop::collections::AsyncDropVec;
use livedrop::hook::{self, Cause, Unhandled};
use livedrop::sync::AsyncDropArc;
use livedrop::{AsyncDropGuard, Reaper, with_async_drop};

fn forget() {
    drop(AsyncDropGuard::new(Resource::plain(&Arc::default())));
}

#[test]
fn hook_of_the_process_is_set_and_taken() {
    alone("hook::hook_of_the_process_is_set_and_taken", set_and_take_the_hook);
}

fn set_and_take_the_hook() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    hook::set(move |_| {
        counted.fetch_add(1, SeqCst);
    });
    forget();
    std::thread::spawn(forget).join().unwrap();
    assert_eq!(count.load(SeqCst), 2);
    {
        let _quiet = hook::scoped(|_| {});
        forget();
    }
    assert_eq!(count.load(SeqCst), 2, "the hook of the thread takes precedence");
    let taken = hook::take();
    assert!(panic_of(forget).starts_with("Forgot"), "the default again");
    hook::set(move |unhandled| taken(unhandled));
    forget();
    assert_eq!(count.load(SeqCst), 3);
    drop(hook::take());
    let default = hook::take();
    hook::set(move |unhandled| default(unhandled));
    assert!(panic_of(forget).starts_with("Forgot"), "where none was set, `take` is the default");
    drop(hook::take());
}

#[test]
fn scoped_hooks_end_in_any_order() {
    let (first, second) = (Reports::collect(), Reports::collect());
    drop(first);
    forget();
    second.expect_one("Forgot to call async_drop on Resource");
    drop(second);
    assert!(panic_of(forget).starts_with("Forgot to call async_drop on Resource"), "none is left");
}

#[test]
fn scoped_hooks_nest() {
    let outer = Reports::collect();
    {
        let inner = Reports::collect();
        forget();
        inner.expect_one("Forgot");
    }
    outer.expect_none();
    forget();
    outer.expect_one("Forgot");
}

#[test]
fn a_report_has_its_parts() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let _hook = hook::scoped(move |unhandled| {
        let Unhandled::Forgotten { type_name, created_at, cause, .. } = unhandled else {
            panic!("{unhandled}");
        };
        assert_eq!((*type_name, *cause), ("Resource", Cause::Forgotten));
        let kept = cfg!(any(debug_assertions, feature = "location"));
        assert_eq!(created_at.map(std::panic::Location::file), kept.then_some(file!()));
        counted.fetch_add(1, SeqCst);
    });
    forget();
    assert_eq!(seen.load(SeqCst), 1);
}

#[test]
fn panicking_hook_while_unwinding_does_not_abort() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let _hook = hook::scoped(move |_| {
        counted.fetch_add(1, SeqCst);
        panic!("in the hook");
    });
    let text = panic_of(|| {
        let _first = AsyncDropGuard::new(Resource::plain(&Arc::default()));
        let _second = AsyncDropGuard::live(Resource::plain(&Arc::default()));
        panic!("first");
    });
    assert_eq!(text, "first");
    assert_eq!(calls.load(SeqCst), 2);
}

#[test]
fn default_hook_does_not_panic_during_a_panic() {
    let outcomes = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&outcomes);
    let _hook = hook::scoped(move |unhandled| {
        let outcome = catch_unwind(AssertUnwindSafe(|| hook::panic(unhandled)));
        seen.lock().unwrap().push(outcome.is_ok());
    });
    forget();
    let text = panic_of(|| {
        let _guard = AsyncDropGuard::new(Resource::plain(&Arc::default()));
        panic!("first");
    });
    assert_eq!(text, "first");
    assert_eq!(*outcomes.lock().unwrap(), [false, true]);
}

/// A payload that panics in its `Drop`.
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in the payload");
    }
}

#[test]
fn panicking_payload_while_unwinding_does_not_abort() {
    let _hook = hook::scoped(|_| std::panic::panic_any(PanicsInDrop));
    let text = panic_of(|| {
        let _guard = AsyncDropGuard::new(Resource::plain(&Arc::default()));
        panic!("first");
    });
    assert_eq!(text, "first");
}

#[test]
fn panicking_hook_does_not_replace_a_body_panic() {
    let _hook = hook::scoped(|_| panic!("in the hook"));
    let guard = AsyncDropGuard::new(Resource::new(&Arc::default(), 1, Ending::Err));
    let text = panic_of(|| {
        block_on(with_async_drop(guard, async |_| -> Result<(), Failed> { panic!("body") }))
    });
    assert_eq!(text, "body");
}

#[test]
fn log_does_not_panic_and_panic_prints_suppressed() {
    {
        let _log = hook::scoped(hook::log);
        forget();
    }
    let _panic = hook::scoped(hook::panic);
    let log = Arc::<Log>::default();
    let guard = AsyncDropGuard::new(Resource::new(&log, 1, Ending::Err));
    let result = block_on(with_async_drop(guard, async |_| Err::<(), _>(Failed)));
    assert_eq!(result, Err(Failed));
}

#[test]
fn a_suppressed_error_is_one_line() {
    #[derive(Debug)]
    struct Long {
        #[expect(dead_code, reason = "shown by `Debug`")]
        lines: &'static str,
    }
    impl From<Long> for u8 {
        fn from(_: Long) -> u8 {
            0
        }
    }
    #[derive(Default)]
    struct Value;
    #[async_trait::async_trait]
    impl livedrop::AsyncDrop for Value {
        type Error = Pretty;
        async fn async_drop_impl(&mut self) -> Result<(), Pretty> {
            Err(Pretty(Long { lines: "a" }))
        }
    }
    /// Its `Debug` always has several lines.
    struct Pretty(Long);
    impl std::fmt::Debug for Pretty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:#?}", self.0)
        }
    }
    let reports = Reports::collect();
    let guard = AsyncDropGuard::new(Value);
    let result = block_on(AsyncDropGuard::async_drop_on_err(guard, Err::<(), _>(1)));
    assert_eq!(result.err(), Some(1));
    let texts = reports.take();
    assert!(!texts[0].contains('\n'), "{texts:?}");
}

#[test]
fn no_report_shows_anything_of_a_value() {
    let reports = Reports::collect();
    let log = Arc::<Log>::default();
    let checked = |ending| AsyncDropGuard::new(Resource::new(&log, 1, ending));
    let live = |ending| AsyncDropGuard::live(Resource::new(&log, 1, ending));

    drop((checked(Ending::Ok), live(Ending::Ok), AsyncDropArc::new(checked(Ending::Ok))));
    let mut several = AsyncDropVec::new();
    several.push(checked(Ending::Ok));
    drop(several);
    cancel_after(1, live(Ending::Ok).async_drop());
    cancel_after(
        1,
        with_async_drop(checked(Ending::Ok), async |_| {
            wait(1).await;
            Ok::<_, Failed>(())
        }),
    );
    let failed = with_async_drop(checked(Ending::Err), async |_| Err::<(), _>(Failed));
    assert_eq!(block_on(failed), Err(Failed));
    let panicked = panic_of(|| {
        block_on(with_async_drop(checked(Ending::Panic), async |_| -> Result<(), Failed> {
            panic!("body")
        }))
    });

    let mut gone = checked(Ending::Ok);
    block_on(gone.async_drop()).unwrap();
    let used = panic_of(|| gone.touch());

    let reaper = Reaper::new();
    let handle = reaper.handle();
    drop((handle.adopt(checked(Ending::Err)), handle.adopt(checked(Ending::Panic))));
    let report = block_on(reaper.drain());
    let left = handle.adopt(checked(Ending::Ok));
    let pending = format!("{:?}", reaper.pending());
    drop(reaper);
    drop(left);

    let mut texts = reports.take();
    assert!(texts.len() >= 9, "{texts:#?}");
    texts.extend([panicked, used, pending, report.to_string(), format!("{report:?}")]);
    for text in texts {
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn abort_ends_the_process() {
    if is_child() {
        hook::set(hook::abort);
        forget();
        std::process::exit(0);
    }
    let output = child("hook::abort_ends_the_process");
    assert!(!output.status.success());
    assert_eq!(output.status.code(), None, "ended by a signal");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("livedrop: Forgot to call async_drop on Resource"), "{text}");
}

#[test]
fn guard_in_a_thread_local_is_reported() {
    thread_local! {
        static KEPT: std::cell::RefCell<Option<AsyncDropGuard<Resource>>> =
            const { std::cell::RefCell::new(None) };
    }
    if is_child() {
        hook::set(hook::log);
        std::thread::spawn(|| {
            KEPT.with(|kept| {
                *kept.borrow_mut() = Some(AsyncDropGuard::new(Resource::plain(&Arc::default())));
            });
        })
        .join()
        .unwrap();
        std::process::exit(0);
    }
    let output = child("hook::guard_in_a_thread_local_is_reported");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("Forgot to call"));
}

#[test]
fn a_hook_may_change_the_hook() {
    let _hook = hook::scoped(|_| drop(hook::scoped(|_| {})));
    assert!(catch_unwind(AssertUnwindSafe(forget)).is_ok());
}

/// A hook that panics at every report.
fn panics(reported: &Rc<Cell<usize>>) -> hook::ScopedHook {
    let reported = Rc::clone(reported);
    hook::scoped(move |unhandled| {
        reported.set(reported.get() + 1);
        panic!("in the hook: {unhandled}")
    })
}

fn guards<const N: usize>(endings: [(usize, Ending); N]) -> [AsyncDropGuard<Resource>; N] {
    endings
        .map(|(waits, ending)| AsyncDropGuard::new(Resource::new(&Arc::default(), waits, ending)))
}

#[test]
fn panicking_hook_replaces_no_panic_and_no_error() {
    let reported = Rc::default();
    let _hook = panics(&reported);
    let mut vec = AsyncDropVec::new();
    vec.extend(guards([(0, Ending::Err), (0, Ending::Err), (0, Ending::Panic)]));
    assert_eq!(panic_of(|| block_on(vec.async_drop())), "cleanup went wrong");
    assert_eq!(reported.get(), 2);
}

#[test]
fn all_errors_are_reported_though_the_hook_panics() {
    let reported = Rc::default();
    let hook = panics(&reported);
    let waiting = guards([(0, Ending::Err), (0, Ending::Err), (3, Ending::Ok)]).into();
    let mut vec: AsyncDropGuard<Vec<_>> = AsyncDropGuard::new(waiting);
    let text = panic_of(|| cancel_after(1, vec.async_drop()));
    assert_eq!(text, "in the hook: cleanup of Resource failed as well: Failed");
    assert_eq!(reported.get(), 2);
    drop(hook);
    block_on(vec.async_drop()).unwrap();
}
