//! One test for each complaint of the FAQ, `src/guide/faq.md`. The complaints come from public issue
//! threads. A test's name begins with the id of its complaint.

#[path = "../support/mod.rs"]
mod support;

mod applications;
mod cancelled;
mod errors;
mod forgotten;
mod helpers;
mod shutdown;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};
use support::{Log, wait};

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

/// Counts how many cleanups run at the same time.
#[derive(Default)]
struct AtOnce {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl AtOnce {
    /// Counts a cleanup until the returned value is dropped.
    fn enter(&self) -> impl Drop {
        struct Running<'a>(&'a AtOnce);

        impl Drop for Running<'_> {
            fn drop(&mut self) {
                self.0.now.fetch_sub(1, SeqCst);
            }
        }

        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
        Running(self)
    }

    fn most(&self) -> usize {
        self.most.load(SeqCst)
    }
}
