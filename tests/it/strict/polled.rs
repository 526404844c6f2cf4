//! `poll_async_drop` and `cleanup_has_begun`.

use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use livedrop::AsyncDrop;
use livedrop::sync::AsyncDropMutex;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::*;

#[test]
fn each_poll_goes_on_where_the_last_stopped() {
    for ending in [Ending::Ok, Ending::Err] {
        let log = log();
        let ((), report) = under(|reaper| {
            let mut cx = Context::from_waker(Waker::noop());
            let resource = Resource::new(&log, WAITS, ending);
            let mut guard = reaper.adopt(AsyncDropGuard::new(resource));
            for _ in 0..WAITS {
                assert_eq!(guard.poll_async_drop(&mut cx), Poll::Pending);
            }
            let result = if ending == Ending::Ok { Ok(()) } else { Err(Failed) };
            assert_eq!(guard.poll_async_drop(&mut cx), Poll::Ready(result));
            assert_eq!(guard.poll_async_drop(&mut cx), Poll::Ready(Ok(())));
        });
        assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 0));
    }
}

#[test]
fn it_may_be_mixed_with_async_drop() {
    let log = log();
    let ((), report) = under(|reaper| {
        let mut cx = Context::from_waker(Waker::noop());
        let mut guard = reaper.adopt(checked(&log));
        assert_eq!(guard.poll_async_drop(&mut cx), Poll::Pending);
        assert_eq!(run(guard.async_drop()), (WAITS, Ok(())));
        let mut guard = begun(reaper, &log);
        assert_eq!(guard.poll_async_drop(&mut cx), Poll::Pending);
        drop(guard);
    });
    assert_eq!((log.counts(), report.cleaned), ((2, 2, 2), 1));
}

#[test]
fn a_panic_ends_the_cleanup() {
    let log = log();
    let ((), report) = under(|reaper| {
        let mut cx = Context::from_waker(Waker::noop());
        let resource = Resource::new(&log, 0, Ending::Panic);
        let mut guard = reaper.adopt(AsyncDropGuard::new(resource));
        assert_eq!(panic_of(|| guard.poll_async_drop(&mut cx)), "cleanup went wrong");
        assert_eq!(guard.poll_async_drop(&mut cx), Poll::Ready(Ok(())));
        expect_drained(reaper);
    });
    assert_eq!((log.counts(), report.cleaned), ((1, 0, 1), 0));
}

#[test]
fn it_wakes_the_task_that_polls() {
    let log = log();
    let (result, report) = under(|reaper| {
        let mut guard = reaper.adopt(checked(&log));
        block_on(std::future::poll_fn(move |cx| guard.poll_async_drop(cx)))
    });
    assert_eq!((result, log.counts(), report.cleaned), (Ok(()), (1, 1, 1), 0));
}

#[test]
fn the_guard_knows_whether_its_cleanup_has_begun() {
    let log = log();
    let ((), report) = under(|reaper| {
        let mut guard = reaper.adopt(checked(&log));
        assert!(!guard.cleanup_has_begun());
        cancel_after(0, guard.async_drop());
        assert!(!guard.cleanup_has_begun());
        cancel_after(1, guard.async_drop());
        assert!(guard.cleanup_has_begun() && !guard.is_dropped());
        block_on(guard.async_drop()).unwrap();
        assert!(guard.cleanup_has_begun() && guard.is_dropped());
        let mut mutex = AsyncDropMutex::new(reaper.adopt(checked(&log)));
        assert!(!mutex.cleanup_has_begun());
        cancel_after(1, mutex.async_drop());
        assert!(mutex.cleanup_has_begun() && !mutex.is_dropped());
    });
    assert_eq!((log.counts(), report.cleaned), ((2, 2, 2), 1));
}

/// The upload of a file in parts. Its cleanup completes the upload, or aborts it.
struct Upload {
    log: Arc<Mutex<Vec<String>>>,
    parts: u32,
    is_complete: bool,
}

#[async_trait]
impl AsyncDrop for Upload {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        self.log.lock().unwrap().push("begin".to_owned());
        wait(2).await;
        let end = if self.is_complete { "complete" } else { "abort" };
        self.log.lock().unwrap().push(format!("{end} {}", self.parts));
        Ok(())
    }
}

/// A file that is an [`AsyncWrite`]. Shutting it down completes the upload.
struct File {
    upload: AdoptedGuard<Upload>,
}

impl AsyncWrite for File {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes == b"bad" {
            return Poll::Ready(Err(io::Error::other("bad")));
        }
        if bytes == b"wait" && self.upload.parts % 2 == 0 {
            self.upload.parts += 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.upload.parts += 1;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.upload.cleanup_has_begun() {
            self.upload.is_complete = true;
        }
        self.upload.poll_async_drop(cx)
    }
}

async fn copy(mut file: impl AsyncWrite + Unpin, parts: &[&[u8]]) -> io::Result<()> {
    for part in parts {
        file.write_all(part).await?;
    }
    file.shutdown().await
}

#[test]
fn a_file_completes_or_aborts_its_upload_once() {
    let parts: &[&[u8]] = &[b"wait", b"wait"];
    let file = |reaper: &Reaper, log: &Arc<Mutex<_>>| {
        let upload = Upload { log: Arc::clone(log), parts: 0, is_complete: false };
        File { upload: reaper.adopt(AsyncDropGuard::new(upload)) }
    };
    let log = Arc::default();
    let ((polls, result), report) = under(|reaper| run(copy(file(reaper, &log), parts)));
    assert_eq!((polls, result.is_ok(), report.cleaned), (5, true, 0));
    assert_eq!(*log.lock().unwrap(), ["begin", "complete 4"]);
    for polls in 0..5 {
        let log = Arc::default();
        let ((), report) = under(|reaper| cancel_after(polls, copy(file(reaper, &log), parts)));
        let end = ["abort 0", "abort 1", "abort 3", "complete 4", "complete 4"][polls];
        assert_eq!(*log.lock().unwrap(), ["begin", end], "after {polls} polls");
        assert_eq!(report.cleaned, 1);
    }
    let log = Arc::default();
    let (result, report) = under(|reaper| block_on(copy(file(reaper, &log), &[b"a", b"bad"])));
    assert_eq!((result.is_err(), report.cleaned), (true, 1));
    assert_eq!(*log.lock().unwrap(), ["begin", "abort 1"]);
}
