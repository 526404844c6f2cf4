//! A cleanup is forgotten: on an early return, an error, a panic or an interrupt.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use livedrop::hook::{self, Cause, Unhandled};
use livedrop::{AsyncDrop, AsyncDropGuard, Live, Reaper, with_async_drop};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::sync::oneshot;

use crate::support::{Failed, Resource, block_on, cancel_after, created_at, panic_of, wait};
use crate::{log, runtime};

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

#[test]
fn p28_a_test_is_torn_down_also_after_a_panic() {
    use livedrop::testing::leaks;

    let host = Host::default();
    let by_hand = async {
        let mut container = host.start();
        assert_eq!(container.number, 7, "an assertion of the test");
        container.async_drop().await
    };
    assert!(panic_of(|| block_on(by_hand)).contains("an assertion of the test"));
    assert_eq!(host.running(), 1, "the complaint: a failed test is not torn down");

    let host = Host::default();
    let fails = leaks(async |reaper| {
        let container = reaper.adopt(host.start());
        assert_eq!(container.number, 7, "an assertion of the test");
    });
    assert!(panic_of(|| block_on(fails)).contains("an assertion of the test"));
    assert_eq!(host.running(), 0);

    // A test that passes and leaves something is a failed test.
    let leaves = leaks(async |reaper| {
        let container = reaper.adopt(host.start());
        std::mem::forget(container);
    });
    let text = panic_of(|| block_on(leaves));
    assert!(text.contains("\n  still alive: Container"), "{text}");
}
