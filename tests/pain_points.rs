//! One test for each complaint of the FAQ, `src/guide/faq.md`. The complaints come from public issue
//! threads. A test's name begins with the id of its complaint.

mod support;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

use async_trait::async_trait;
use livedrop::collections::{AsyncDropHashMap, AsyncDropStack, AsyncDropVec, ErasedError};
use livedrop::hook::{self, Cause, Unhandled};
use livedrop::reaper::Stage;
use livedrop::{
    Adopted, AsyncDrop, AsyncDropGuard, CleanupErrors, Live, Reaper, async_drop_all, bracket,
    scope, with_async_drop,
};
use support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run, wait,
};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::sync::{Notify, oneshot};
use tokio::task::yield_now;
use tokio::time::timeout;

fn log() -> Arc<Log> {
    Arc::default()
}

/// Runs a test on a thread, and fails after a minute if the test hangs.
fn within_a_minute(test: impl FnOnce() + Send + 'static) {
    let (ended, end) = mpsc::channel::<()>();
    let test = thread::spawn(move || {
        let _sent_when_dropped = ended;
        test();
    });
    let hangs = end.recv_timeout(Duration::from_secs(60)) == Err(mpsc::RecvTimeoutError::Timeout);
    assert!(!hangs, "the test hangs");
    test.join().expect("the test passes");
}

/// Returns a current-thread runtime.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A server that counts its sessions.
#[derive(Clone, Default)]
struct Server {
    sessions: Arc<AtomicUsize>,
}

struct Session(Server);

impl Server {
    const POLLS_TO_CONNECT: usize = 4;

    /// Connects in several polls. The server counts the session at the first poll.
    async fn connect(self) -> io::Result<AsyncDropGuard<Session>> {
        self.sessions.fetch_add(1, SeqCst);
        wait(Self::POLLS_TO_CONNECT - 1).await;
        Ok(AsyncDropGuard::new(Session(self)))
    }

    fn sessions(&self) -> usize {
        self.sessions.load(SeqCst)
    }
}

#[async_trait]
impl AsyncDrop for Session {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        wait(2).await;
        self.0.sessions.fetch_sub(1, SeqCst);
        Ok(())
    }
}

#[test]
fn p1_a_cancelled_acquire_leaks_nothing() {
    let leaky = Server::default();
    cancel_after(2, leaky.clone().connect());
    assert_eq!(leaky.sessions(), 1, "the complaint: the session is never closed");

    for polls in 1..Server::POLLS_TO_CONNECT {
        let (server, mut reaper) = (Server::default(), Reaper::new());
        cancel_after(polls, reaper.acquire(server.clone().connect()));
        assert_eq!(server.sessions(), 1);
        assert_eq!(block_on(reaper.drain()).cleaned, 1);
        assert_eq!(server.sessions(), 0);
        block_on(reaper.async_drop()).unwrap();
    }
}

#[test]
fn p2_a_release_that_was_cancelled_has_lost_nothing() {
    /// Takes the guard by value, as the releases in the complaints do.
    async fn release(mut guard: AsyncDropGuard<Resource, Adopted>) -> Result<(), Failed> {
        guard.async_drop().await
    }

    for polls in 0..=3 {
        let log = log();
        let mut guard = AsyncDropGuard::new(Resource::plain(&log));
        cancel_after(polls, guard.async_drop());
        assert_eq!(guard.touch(), 3, "the value is still in its guard");
        block_on(guard.async_drop()).unwrap();
        let begun = 1 + usize::from(polls > 0);
        assert_eq!(log.counts(), (begun, 1, 1));

        let (log, mut reaper) = (self::log(), Reaper::new());
        cancel_after(polls, release(reaper.adopt(AsyncDropGuard::new(Resource::plain(&log)))));
        block_on(reaper.async_drop()).unwrap();
        assert_eq!(log.counts(), (1, 1, 1), "resumed, not begun again");
    }
}

#[test]
fn p3_dropping_does_not_block_the_thread_that_the_cleanup_needs() {
    /// A client whose cleanup waits for a task on the same thread. There is only one.
    struct Client {
        bye: Option<oneshot::Sender<()>>,
        answer: oneshot::Receiver<()>,
    }

    #[async_trait]
    impl AsyncDrop for Client {
        type Error = oneshot::error::RecvError;

        async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
            self.bye.take().into_iter().for_each(|bye| bye.send(()).expect("the peer listens"));
            (&mut self.answer).await
        }
    }

    fn connect() -> AsyncDropGuard<Client> {
        let (bye, received_bye) = oneshot::channel();
        let (answers, answer) = oneshot::channel();
        tokio::spawn(async move {
            received_bye.await.expect("the client says goodbye");
            answers.send(()).expect("the client waits for the answer");
        });
        AsyncDropGuard::new(Client { bye: Some(bye), answer })
    }

    within_a_minute(|| {
        runtime().block_on(async {
            let mut reaper = Reaper::new();
            drop(reaper.adopt(connect()));
            assert_eq!(reaper.drain().await.cleaned, 1);
            reaper.async_drop().await.unwrap();

            #[cfg(feature = "testing")]
            {
                let blocks = livedrop::testing::SyncDrop::new(connect());
                let _quiet = Reports::collect();
                let text = panic_of(|| drop(blocks));
                assert!(text.starts_with("SyncDrop of Client would deadlock"), "{text}");
            }
        });
    });
}

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

#[test]
fn p5_who_opens_the_same_thing_next_finds_it_closed() {
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

#[test]
fn p6_the_one_call_site_of_ten_that_forgets_is_named() {
    let (log, mut line, mut text) = (log(), 0, String::new());
    for site in 0..10 {
        // This loop stands for ten call sites.
        let mut call = || {
            line = line!() + 1;
            let mut guard = AsyncDropGuard::new(Resource::plain(&log));
            if site == 7 {
                return; // an early return, added last week
            }
            block_on(guard.async_drop()).unwrap();
        };
        if site == 7 {
            text = panic_of(call);
        } else {
            call();
        }
    }
    let beginning = format!("Forgot to call async_drop on Resource{}", created_at(file!(), line));
    assert!(text.starts_with(&beginning), "{text}");
    assert_eq!(log.counts(), (9, 9, 10));

    // In a strict scope the same early return does not compile. A test compares this snapshot with the
    // compiler's error, and runs the corrected program.
    let refused = std::fs::read_to_string("compile-fail/scope/early_return_without_proof.stderr");
    assert!(refused.unwrap().starts_with("error[E0308]"));
}

/// The host of the containers: the numbers of the running ones.
#[derive(Clone, Default)]
struct Host(Arc<Mutex<BTreeSet<usize>>>);

struct Container {
    host: Host,
    number: usize,
}

impl Host {
    fn start(&self) -> AsyncDropGuard<Container> {
        let mut running = self.0.lock().unwrap();
        let number = running.len();
        assert!(running.insert(number), "all earlier ones are running");
        AsyncDropGuard::new(Container { host: self.clone(), number })
    }

    fn running(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[async_trait]
impl AsyncDrop for Container {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        wait(2).await;
        self.host.0.lock().unwrap().remove(&self.number);
        Ok(())
    }
}

#[test]
fn p7_no_container_outlives_an_error_a_panic_or_an_interrupt() {
    let host = Host::default();
    let failed: io::Result<()> = block_on(with_async_drop(host.start(), async |container| {
        assert_eq!(container.host.running(), 1);
        Err(io::Error::other("the test failed"))?;
        Ok(())
    }));
    assert_eq!(failed.unwrap_err().to_string(), "the test failed");
    assert_eq!(host.running(), 0, "after `?`");

    let text = panic_of(|| {
        let body = async |container: &mut Container| {
            assert_eq!(container.host.running(), 2, "an assertion of the test");
            Ok::<(), io::Error>(())
        };
        block_on(with_async_drop(host.start(), body))
    });
    assert!(text.contains("an assertion of the test"), "{text}");
    assert_eq!(host.running(), 0, "after a panic");

    runtime().block_on(async {
        let mut reaper = Reaper::new();
        let (interrupt, interrupted) = oneshot::channel();
        let container = reaper.adopt(host.start());
        let body = with_async_drop(container, async |_| {
            interrupt.send(()).expect("main listens for it");
            pending::<io::Result<()>>().await
        });
        tokio::select! {
            _ = body => panic!("it runs until it is interrupted"),
            _ctrl_c = interrupted => {}
        }
        assert_eq!(host.running(), 1);
        reaper.async_drop().await.unwrap();
        assert_eq!(host.running(), 0, "after an interrupt");
    });
}

/// A file whose last bytes stay in memory until it is cleaned up.
struct Journal(BufWriter<File>);

impl Journal {
    async fn create(path: &Path) -> io::Result<AsyncDropGuard<Journal>> {
        Ok(AsyncDropGuard::new(Journal(BufWriter::new(File::create(path).await?))))
    }

    async fn write(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes()).await
    }
}

#[async_trait]
impl AsyncDrop for Journal {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        self.0.flush().await?;
        self.0.get_ref().sync_all().await
    }
}

#[tokio::test]
async fn p8_every_byte_is_on_disk_whatever_the_way_out() {
    fn path(name: &str) -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pain_points_{name}.txt"))
    }
    fn on_disk(name: &str) -> String {
        std::fs::read_to_string(path(name)).unwrap()
    }

    {
        let mut unguarded = BufWriter::new(File::create(path("unguarded")).await.unwrap());
        unguarded.write_all(b"text").await.unwrap();
    }
    assert_eq!(on_disk("unguarded"), "", "the complaint: the bytes were still in memory");

    let journal = Journal::create(&path("ok")).await.unwrap();
    with_async_drop(journal, async |journal| journal.write("text").await).await.unwrap();
    assert_eq!(on_disk("ok"), "text");

    let journal = Journal::create(&path("error")).await.unwrap();
    let result: io::Result<()> = with_async_drop(journal, async |journal| {
        journal.write("text").await?;
        Err(io::Error::other("later"))
    })
    .await;
    assert_eq!(result.unwrap_err().to_string(), "later");
    assert_eq!(on_disk("error"), "text");

    let journal = Journal::create(&path("panic")).await.unwrap();
    let body = tokio::spawn(with_async_drop(journal, async |journal| {
        journal.write("text").await?;
        assert!(std::hint::black_box(false), "in the body");
        io::Result::Ok(())
    }));
    assert!(body.await.unwrap_err().is_panic());
    assert_eq!(on_disk("panic"), "text");

    let mut reaper = Reaper::new();
    let path_of_cancelled = path("cancelled");
    let open = async move { Journal::create(&path_of_cancelled).await };
    let journal = reaper.acquire(open).await.unwrap();
    let (wrote, written) = oneshot::channel();
    let task = tokio::spawn(with_async_drop(journal, async |journal| {
        journal.write("text").await?;
        wrote.send(()).unwrap();
        pending::<io::Result<()>>().await
    }));
    written.await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    reaper.async_drop().await.unwrap();
    assert_eq!(on_disk("cancelled"), "text");
}

/// The events of an upload that the server has seen.
type Journaled = Arc<Mutex<Vec<&'static str>>>;

struct Upload {
    server: Journaled,
    /// The part that the server refuses.
    refuses: &'static str,
    aborting_fails: bool,
    committed: bool,
}

#[derive(Debug, PartialEq)]
enum UploadError {
    Refused(&'static str),
    CouldNotAbort,
}

impl Upload {
    async fn send(&mut self, part: &'static str) -> Result<(), UploadError> {
        wait(1).await;
        if part == self.refuses { Err(UploadError::Refused(part)) } else { Ok(()) }
    }

    async fn commit(&mut self) -> Result<(), UploadError> {
        self.send("commit").await?;
        self.committed = true;
        self.server.lock().unwrap().push("committed");
        Ok(())
    }
}

#[async_trait]
impl AsyncDrop for Upload {
    type Error = UploadError;

    async fn async_drop_impl(&mut self) -> Result<(), UploadError> {
        if self.committed {
            return Ok(());
        }
        wait(1).await;
        self.server.lock().unwrap().push("aborted");
        if self.aborting_fails { Err(UploadError::CouldNotAbort) } else { Ok(()) }
    }
}

#[test]
fn p9_an_upload_is_committed_or_aborted_once_and_the_first_error_survives() {
    fn upload(refuses: &'static str, aborting_fails: bool) -> (Journaled, AsyncDropGuard<Upload>) {
        let server = Journaled::default();
        let upload =
            Upload { server: Arc::clone(&server), refuses, aborting_fails, committed: false };
        (server, AsyncDropGuard::new(upload))
    }
    async fn body(upload: &mut Upload) -> Result<(), UploadError> {
        upload.send("one").await?;
        upload.send("two").await?;
        upload.commit().await
    }
    fn seen(server: &Journaled) -> Vec<&'static str> {
        server.lock().unwrap().clone()
    }

    let (server, guard) = upload("", false);
    assert_eq!(run(with_async_drop(guard, body)).1, Ok(()));
    assert_eq!(seen(&server), ["committed"]);

    for refused in ["one", "two", "commit"] {
        let (server, guard) = upload(refused, false);
        let error = UploadError::Refused(refused);
        assert_eq!(run(with_async_drop(guard, body)).1, Err(error));
        assert_eq!(seen(&server), ["aborted"]);
    }

    let reports = Reports::collect();
    let (server, guard) = upload("two", true);
    assert_eq!(run(with_async_drop(guard, body)).1, Err(UploadError::Refused("two")));
    assert_eq!(seen(&server), ["aborted"]);
    reports.expect_one("cleanup of Upload failed as well: CouldNotAbort");

    let (_, guard) = upload("two", true);
    let both = run(bracket(guard, body)).1;
    assert_eq!(both, (Err(UploadError::Refused("two")), Err(UploadError::CouldNotAbort)));
    reports.expect_none();

    // Cancel after each number of polls, in the body or during the abort.
    let polls = run(with_async_drop(upload("", false).1, body)).0;
    for polls in 0..polls {
        let (server, guard) = upload("", false);
        let mut reaper = Reaper::new();
        cancel_after(polls, with_async_drop(reaper.adopt(guard), body));
        block_on(reaper.async_drop()).unwrap();
        assert_eq!(seen(&server), ["aborted"], "after {polls} polls");
    }
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

#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn p11_a_background_task_ends_with_its_owner() {
    use livedrop::task::{self, Task, TaskError};

    struct Cache {
        refresher: AsyncDropGuard<Task<()>>,
    }

    #[async_trait]
    impl AsyncDrop for Cache {
        type Error = TaskError<Infallible>;

        async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
            self.refresher.async_drop().await
        }
    }

    /// Returns a cache whose background task holds `running`.
    fn cache(running: &Arc<()>, stops_on_request: bool) -> AsyncDropGuard<Cache> {
        let running = Arc::clone(running);
        let refresher = task::spawn(move |stop| async move {
            stop.cancelled().await;
            if !stops_on_request {
                pending::<()>().await;
            }
            drop(running);
        });
        AsyncDropGuard::new(Cache { refresher })
    }

    let running = Arc::new(());
    let mut polite = cache(&running, true);
    yield_now().await;
    assert_eq!(Arc::strong_count(&running), 2);
    polite.async_drop().await.unwrap();
    assert_eq!(Arc::strong_count(&running), 1, "the task was stopped and joined");

    let mut stubborn = cache(&running, false);
    stubborn.refresher.set_deadline(Duration::from_secs(1));
    let error = stubborn.async_drop().await.unwrap_err();
    assert!(matches!(error, TaskError::Aborted(_)), "{error}");
    assert_eq!(Arc::strong_count(&running), 1, "the task was aborted and joined");

    let mut reaper = Reaper::new();
    let owner = reaper.adopt(cache(&running, true));
    let owner = tokio::spawn(async move {
        pending::<()>().await;
        drop(owner);
    });
    yield_now().await;
    owner.abort();
    reaper.async_drop().await.unwrap();
    assert_eq!(Arc::strong_count(&running), 1, "the task was stopped after its owner was aborted");
}

#[test]
fn p12_an_async_defer_and_one_that_borrows() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |what| order.lock().unwrap().push(what);
    let deferred = |what| {
        let order = Arc::clone(&order);
        async move {
            wait(1).await;
            order.lock().unwrap().push(what);
        }
    };

    // A body that borrows local variables, with a cleanup instead of `defer!`.
    let (mut lines, name) = (Vec::new(), String::from("local"));
    let guard = AsyncDropGuard::with_cleanup((), |()| deferred("deferred"));
    let result: Result<usize, Infallible> = block_on(with_async_drop(guard, async |_| {
        wait(1).await;
        lines.push(name.as_str());
        note("body");
        Ok(lines.len())
    }));
    assert_eq!((result, lines), (Ok(1), vec!["local"]));
    assert_eq!(std::mem::take(&mut *order.lock().unwrap()), ["body", "deferred"]);

    // Several deferred futures, on a stack.
    let result: Result<(), CleanupErrors<ErasedError>> =
        block_on(with_async_drop(AsyncDropStack::new(), async |stack| {
            stack.defer(deferred("first"));
            stack.defer(deferred("second"));
            note("body");
            Ok(())
        }));
    result.unwrap();
    assert_eq!(*order.lock().unwrap(), ["body", "second", "first"]);

    // A value of another crate, closed by value.
    let mut foreign = AsyncDropGuard::with_cleanup(tokio::io::empty(), |mut writer| async move {
        writer.shutdown().await
    });
    block_on(foreign.async_drop()).unwrap();
}

#[test]
fn p13_every_error_of_a_cleanup_is_seen_by_somebody() {
    let (log, reports) = (log(), Reports::collect());
    let failing = || AsyncDropGuard::new(Resource::new(&log, 1, Ending::Err));

    assert_eq!(block_on(failing().async_drop()), Err(Failed), "the error is returned");

    let mut reaper = Reaper::new();
    drop(reaper.adopt(failing()));
    let mut report = block_on(reaper.drain());
    let failure = report.failures.pop().expect("the error is in the report");
    assert_eq!(failure.downcast::<Failed>().unwrap(), Failed);
    drop(reaper.adopt(failing()));
    assert_eq!(block_on(reaper.async_drop()).unwrap_err().failures.len(), 1);
    reports.expect_none();

    let result: Result<(), Failed> = block_on(with_async_drop(failing(), async |_| Err(Failed)));
    assert_eq!(result, Err(Failed));
    reports.expect_one("cleanup of Resource failed as well: Failed");
}

#[test]
fn p14_the_error_of_the_body_comes_first_and_that_of_the_cleanup_is_kept() {
    #[derive(Debug, PartialEq)]
    enum Error {
        NotFound,
        Close(Failed),
    }

    impl From<Failed> for Error {
        fn from(failed: Failed) -> Self {
            Error::Close(failed)
        }
    }

    let (log, reports) = (log(), Reports::collect());
    let value = || Resource::new(&log, 1, Ending::Err);
    let suppressed = "cleanup of Resource failed as well: Failed";

    let body = async |_: &mut Resource| Err::<(), _>(Error::NotFound);
    let result = block_on(with_async_drop(AsyncDropGuard::new(value()), body));
    assert_eq!(result, Err(Error::NotFound));
    reports.expect_one(suppressed);

    let result = block_on(scope(AsyncDropGuard::live(value()), async |guard| {
        let body = Err::<(), _>(Error::NotFound);
        guard.async_drop().await.after(body)
    }));
    assert_eq!(result, Err(Error::NotFound));
    reports.expect_one(suppressed);

    let both = block_on(bracket(AsyncDropGuard::new(value()), body));
    assert_eq!(both, (Err(Error::NotFound), Err(Failed)));
    reports.expect_none();

    let body = async |_: &mut Resource| Ok::<(), Error>(());
    let result = block_on(with_async_drop(AsyncDropGuard::new(value()), body));
    assert_eq!(result, Err(Error::Close(Failed)), "only the cleanup failed");
}

/// The number of running cleanups, and its maximum.
#[derive(Default)]
struct AtOnce {
    now: AtomicUsize,
    most: AtomicUsize,
}

#[test]
fn p15_cleanups_run_at_the_same_time_bounded_on_request_and_nested_ones_cannot_starve() {
    /// Returns a guard whose cleanup waits, and is counted in `at_once` meanwhile.
    fn waiting(at_once: &Arc<AtOnce>) -> AsyncDropGuard<impl AsyncDrop<Error = Infallible> + Send> {
        AsyncDropGuard::with_cleanup(Arc::clone(at_once), |at_once| async move {
            let now = at_once.now.fetch_add(1, SeqCst) + 1;
            at_once.most.fetch_max(now, SeqCst);
            wait(5).await;
            at_once.now.fetch_sub(1, SeqCst);
        })
    }
    let most = |at_once: &AtOnce| at_once.most.load(SeqCst);

    let at_once = Arc::default();
    let mut map = AsyncDropHashMap::new();
    for key in 0..100 {
        map.try_insert(key, waiting(&at_once)).expect("a new key");
    }
    block_on(map.async_drop()).unwrap();
    assert_eq!(most(&at_once), 100);

    let at_once = Arc::default();
    let mut bounded = AsyncDropVec::new();
    bounded.set_concurrency(8).extend((0..100).map(|_| waiting(&at_once)));
    block_on(bounded.async_drop()).unwrap();
    assert_eq!(most(&at_once), 8);

    let at_once = Arc::default();
    let all = async_drop_all((waiting(&at_once), waiting(&at_once), waiting(&at_once)));
    block_on(all).unwrap();
    assert_eq!(most(&at_once), 3);

    // Nested vectors do not share a limit: the inner cleanups run while the outer one waits.
    let at_once = Arc::default();
    let mut outer = AsyncDropVec::new();
    outer.set_concurrency(1);
    for _ in 0..3 {
        let mut inner = AsyncDropVec::new();
        inner.set_concurrency(1).extend((0..3).map(|_| waiting(&at_once)));
        outer.push(inner);
    }
    let (_, result) = run(outer.async_drop());
    result.unwrap();
    assert_eq!(most(&at_once), 1);
}

#[tokio::test]
async fn p16_it_is_dropped_in_async_context_and_has_no_runtime_and_no_thread() {
    fn whereabouts(
        seen: &Arc<Mutex<Vec<ThreadId>>>,
    ) -> AsyncDropGuard<impl AsyncDrop<Error = Infallible> + Send + use<>> {
        AsyncDropGuard::with_cleanup(Arc::clone(seen), |seen| async move {
            wait(2).await;
            seen.lock().unwrap().push(thread::current().id());
        })
    }

    assert!(panic_of(|| drop(runtime())).contains("Cannot drop a runtime"), "the complaint");

    let seen = Arc::default();
    let mut reaper = Reaper::new();
    drop(reaper.run());
    drop(reaper.handle());
    cancel_after(0, reaper.drain());
    let mut guard = AsyncDropGuard::new(Resource::plain(&log()));
    guard.async_drop().await.unwrap();
    drop(guard);
    reaper.async_drop().await.unwrap();
    drop(reaper);

    // Without a runtime, the thread that polls `drain` runs the cleanups.
    let here = thread::spawn(move || {
        let mut reaper = Reaper::new();
        for _ in 0..3 {
            drop(reaper.adopt(whereabouts(&seen)));
        }
        assert_eq!(run(reaper.drain()).1.cleaned, 3);
        run(reaper.async_drop()).1.unwrap();
        let seen = seen.lock().unwrap();
        assert_eq!(*seen, [thread::current().id(); 3]);
    });
    here.join().unwrap();
}

#[test]
fn p17_a_second_cancellation_does_not_interrupt_the_cleanup_for_good() {
    for first in 0..=3 {
        for second in 0..=3 - first {
            let (log, mut reaper) = (log(), Reaper::new());
            let mut guard = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 6, Ending::Ok)));
            cancel_after(first, guard.async_drop());
            drop(guard);
            cancel_after(second, reaper.drain());
            let report = block_on(reaper.drain());
            assert_eq!(report.cleaned, 1);
            assert_eq!(log.counts(), (1, 1, 1), "begun once and resumed");
            block_on(reaper.async_drop()).unwrap();
        }
    }

    // `abandon` gives up a cleanup that never ends, and names it.
    let mut reaper = Reaper::new();
    drop(reaper.adopt(AsyncDropGuard::with_cleanup((), |()| pending::<()>())));
    cancel_after(10, reaper.drain());
    let report = reaper.abandon();
    assert_eq!(report.abandoned.len(), 1);
    assert!(report.abandoned[0].type_name.starts_with("Deferred"), "{report}");
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn p18_all_members_are_cleaned_up_although_the_first_one_fails() {
    async fn one_after_another(guards: [AsyncDropGuard<Resource>; 3]) -> Result<(), Failed> {
        let [mut first, mut second, mut third] = guards;
        first.async_drop().await?;
        second.async_drop().await?;
        third.async_drop().await
    }
    #[derive(AsyncDrop)]
    struct Members {
        first: AsyncDropGuard<Resource>,
        others: Vec<AsyncDropGuard<Resource>>,
    }

    let (log, reports) = (log(), Reports::collect());
    let failing = || AsyncDropGuard::new(Resource::new(&log, 1, Ending::Err));

    assert_eq!(block_on(one_after_another([failing(), failing(), failing()])), Err(Failed));
    assert_eq!(log.counts().0, 1, "the complaint: two members were never cleaned up");
    assert_eq!(reports.take().len(), 2);

    let errors = block_on(async_drop_all((failing(), failing(), failing()))).unwrap_err();
    assert_eq!(errors.len(), 3);

    let members = Members { first: failing(), others: vec![failing(), failing()] };
    let errors = block_on(AsyncDropGuard::new(members).async_drop()).unwrap_err();
    assert_eq!(errors.len(), 3);

    let mut vec = AsyncDropVec::new();
    vec.extend([failing(), failing(), failing()]);
    assert_eq!(block_on(vec.async_drop()).unwrap_err().len(), 3);

    let mut map = AsyncDropHashMap::new();
    for key in 0..3 {
        map.try_insert(key, failing()).expect("a new key");
    }
    assert_eq!(block_on(map.async_drop()).unwrap_err().len(), 3);

    let mut stack = AsyncDropStack::new();
    for _ in 0..3 {
        stack.push(failing());
    }
    assert_eq!(block_on(stack.async_drop()).unwrap_err().len(), 3);

    assert_eq!(log.counts(), (16, 16, 18));
    reports.expect_none();
}

#[test]
fn p19_a_guard_that_the_body_returns_survives_a_failing_cleanup() {
    let (outer, inner, reports) = (log(), log(), Reports::collect());
    let database = AsyncDropGuard::new(Resource::new(&outer, 1, Ending::Err));
    let (mut session, closed) =
        block_on(bracket(database, async |_| AsyncDropGuard::new(Resource::plain(&inner))));
    assert_eq!(closed, Err(Failed));
    assert_eq!(inner.counts(), (0, 0, 0), "the inner guard is not lost");
    block_on(session.async_drop()).unwrap();
    assert_eq!(inner.counts(), (1, 1, 1));
    reports.expect_none();
}

#[test]
fn p20_one_leak_is_one_message_with_type_site_and_cause() {
    /// A type with ten guards in it.
    struct Engine {
        _parts: Vec<AsyncDropGuard<Resource>>,
    }

    #[async_trait]
    impl AsyncDrop for Engine {
        type Error = Failed;

        async fn async_drop_impl(&mut self) -> Result<(), Failed> {
            Ok(())
        }
    }

    let log = log();
    let parts = || (0..10).map(|_| AsyncDropGuard::new(Resource::plain(&log))).collect();
    let causes = Rc::new(Cell::new([0; 3]));
    let counted = Rc::clone(&causes);
    let _hook = hook::scoped(move |unhandled| {
        let Unhandled::Forgotten { cause, .. } = unhandled else { panic!("{unhandled}") };
        let mut causes = counted.take();
        causes[match cause {
            Cause::Forgotten => 0,
            Cause::Unwinding => 1,
            _ => 2,
        }] += 1;
        counted.set(causes);
        assert!(*cause == Cause::Unwinding, "{unhandled}");
    });

    let line = line!() + 1;
    let engine = AsyncDropGuard::new(Engine { _parts: parts() });
    let text = panic_of(|| drop(engine));
    let beginning = format!("Forgot to call async_drop on Engine{}", created_at(file!(), line));
    assert!(text.starts_with(&beginning), "{text}");
    assert!(!text.contains("/library/"), "{text}");
    assert_eq!(
        causes.take(),
        [1, 10, 0],
        "one leak, and the ten guards in it that the unwinding dropped"
    );

    let engine: AsyncDropGuard<_, Live> = AsyncDropGuard::live(Resource::plain(&log));
    let text = panic_of(|| cancel_after(1, engine.async_drop()));
    assert!(text.starts_with("async_drop on Resource was cancelled before it finished"), "{text}");
    assert_eq!(causes.take(), [0, 0, 1]);
}

#[cfg(all(feature = "process", unix))]
#[tokio::test]
async fn p29_a_child_ends_in_its_own_way_and_leaves_no_zombie() {
    use livedrop::process;
    use std::process::Stdio;
    use tokio::io::AsyncReadExt;
    use tokio::process::{Child, ChildStdout, Command};

    /// A server that saves its state to a file when it is terminated.
    fn server(state: &Path) -> Command {
        let script = "trap 'echo saved > $0; exit' TERM; echo; while :; do sleep 0.01; done";
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(state).stdout(Stdio::piped());
        command
    }
    async fn is_ready(output: &mut ChildStdout) {
        output.read_u8().await.unwrap();
    }
    // A zombie exists, too.
    fn exists(pid: u32) -> bool {
        let kill = format!("kill -0 {pid} 2>/dev/null");
        std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success()
    }

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pain_points_p29");
    let _absent = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    let state = folder.join("state");

    let mut unguarded: Child = server(&state).kill_on_drop(true).spawn().unwrap();
    is_ready(unguarded.stdout.as_mut().unwrap()).await;
    let pid = unguarded.id().unwrap();
    drop(unguarded);
    while exists(pid) {
        yield_now().await;
    }
    assert!(!state.exists(), "the complaint: it was killed before it could save its state");

    let mut server = process::spawn(&mut server(&state)).unwrap();
    is_ready(server.stdout.as_mut().unwrap()).await;
    let pid = server.id().unwrap();
    server.async_drop().await.unwrap();
    assert_eq!(std::fs::read_to_string(&state).unwrap(), "saved\n");
    assert!(!exists(pid), "it was reaped");
}
