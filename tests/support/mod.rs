//! Shared by the tests: a value that counts its cleanups, futures that wait, and functions that poll,
//! cancel and collect reports.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses only a part")]

pub mod world;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::process::{Command, Output};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use livedrop::hook::{self, ScopedHook, Unhandled};
use livedrop::{AsyncDrop, testing};

/// The counts of a [`Resource`].
#[derive(Default)]
pub struct Log {
    begun: AtomicUsize,
    ended: AtomicUsize,
    dropped: AtomicUsize,
    finish_begun: AtomicUsize,
    finish_ended: AtomicUsize,
}

impl Log {
    /// The numbers of calls of [`Resource::finish`] begun and ended.
    pub fn finishes(&self) -> (usize, usize) {
        (self.finish_begun.load(SeqCst), self.finish_ended.load(SeqCst))
    }

    /// The numbers of cleanups begun, cleanups ended, and values dropped.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.begun.load(SeqCst), self.ended.load(SeqCst), self.dropped.load(SeqCst))
    }
}

/// How the cleanup of a [`Resource`] ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ending {
    Ok,
    Err,
    Panic,
}

#[derive(Debug, PartialEq)]
pub struct Failed;

/// A value whose cleanup waits `waits` times, and then ends with `ending`.
pub struct Resource {
    pub log: Arc<Log>,
    pub waits: usize,
    pub ending: Ending,
}

/// If a message ever showed a value, it would contain this text.
impl std::fmt::Debug for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a secret")
    }
}

impl Resource {
    pub fn new(log: &Arc<Log>, waits: usize, ending: Ending) -> Self {
        Self { log: Arc::clone(log), waits, ending }
    }

    /// A value whose cleanup waits three times and succeeds.
    pub fn plain(log: &Arc<Log>) -> Self {
        Self::new(log, 3, Ending::Ok)
    }

    pub fn touch(&self) -> usize {
        self.waits
    }

    /// Ends the value by other means than its cleanup: waits as often, and ends as that would.
    pub async fn finish(self) -> Result<(), Failed> {
        self.log.finish_begun.fetch_add(1, SeqCst);
        wait(self.waits).await;
        assert!(self.ending != Ending::Panic, "finish went wrong");
        self.log.finish_ended.fetch_add(1, SeqCst);
        if self.ending == Ending::Err { Err(Failed) } else { Ok(()) }
    }
}

#[async_trait]
impl AsyncDrop for Resource {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        self.log.begun.fetch_add(1, SeqCst);
        wait(self.waits).await;
        assert!(self.ending != Ending::Panic, "cleanup went wrong");
        self.log.ended.fetch_add(1, SeqCst);
        if self.ending == Ending::Err { Err(Failed) } else { Ok(()) }
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        self.log.dropped.fetch_add(1, SeqCst);
    }
}

/// A future that is pending `times` times.
pub fn wait(times: usize) -> Wait {
    Wait(times)
}

pub struct Wait(usize);

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    futures::executor::block_on(future)
}

/// Polls the future to its end. Returns the number of polls and the output.
pub fn run<F: Future>(future: F) -> (usize, F::Output) {
    let mut future = pin!(future);
    let mut polls = 0;
    loop {
        polls += 1;
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return (polls, output);
        }
    }
}

/// `testing::cancel_after` for a test that is not `async`. Panics if the future becomes ready. It polls without
/// waiting for a wake, so it needs no executor.
pub fn cancel_after<F: Future>(times: usize, future: F) {
    let output = run(testing::cancel_after(times, future)).1;
    assert!(output.is_none(), "ready before poll {times}");
}

/// The panic message of `f`.
pub fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => panic!("no panic"),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => (*payload.downcast::<&str>().expect("a text")).to_owned(),
        },
    }
}

const CHILD: &str = "LIVEDROP_TEST_CHILD";

/// Whether this process was started by [`child`].
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs the test with this name in its own process.
pub fn child(test: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap()
}

/// Runs the body of the test with this name in its own process: for a body that changes state of the
/// whole process, or that other threads disturb.
#[track_caller]
pub fn alone(test: &str, body: impl FnOnce()) {
    if is_child() {
        return body();
    }
    let output = child(test);
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    // The run of an unknown test name succeeds, too.
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

/// Collects the reports of this thread. The failed cleanups of orphans are collected apart.
pub struct Reports {
    texts: Rc<RefCell<Vec<String>>>,
    failed: Rc<RefCell<Vec<String>>>,
    _hook: ScopedHook,
}

impl Reports {
    /// Collects reports. Nothing panics meanwhile.
    pub fn collect() -> Self {
        Self::collect_and(|_| {})
    }

    /// Collects reports, and panics as the default hook does.
    pub fn collect_and_panic() -> Self {
        Self::collect_and(hook::panic)
    }

    fn collect_and(then: impl Fn(&Unhandled<'_>) + 'static) -> Self {
        let (texts, failed) = (Rc::<RefCell<Vec<_>>>::default(), Rc::<RefCell<Vec<_>>>::default());
        let (sink, failed_sink) = (Rc::clone(&texts), Rc::clone(&failed));
        let hook = hook::scoped(move |unhandled| {
            let sink = match unhandled {
                Unhandled::Failed { .. } => &failed_sink,
                _ => &sink,
            };
            sink.borrow_mut().push(unhandled.to_string());
            then(unhandled);
        });
        Self { texts, failed, _hook: hook }
    }

    pub fn take(&self) -> Vec<String> {
        self.texts.take()
    }

    /// The failed cleanups of orphans since the last call.
    pub fn take_failed(&self) -> Vec<String> {
        self.failed.take()
    }

    /// Asserts the beginnings of all reports since the last call.
    #[track_caller]
    pub fn expect(&self, beginnings: &[&str]) {
        let texts = self.take();
        let as_expected = texts.len() == beginnings.len()
            && texts.iter().zip(beginnings).all(|(text, beginning)| text.starts_with(beginning));
        assert!(as_expected, "expected {beginnings:?}, got {texts:?}");
    }

    #[track_caller]
    pub fn expect_one(&self, beginning: &str) {
        self.expect(&[beginning]);
    }

    #[track_caller]
    pub fn expect_none(&self) {
        self.expect(&[]);
    }
}

/// ` (created at FILE:LINE:` in builds that keep the creation site, and nothing otherwise.
pub fn created_at(file: &str, line: u32) -> String {
    if cfg!(any(debug_assertions, feature = "location")) {
        format!(" (created at {file}:{line}:")
    } else {
        String::new()
    }
}
