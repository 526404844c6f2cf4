//! A guard is a `Stream`, a `Sink`, an `AsyncRead` and an `AsyncWrite` if its value is.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::stream::SelectAll;
use futures::{Sink, SinkExt, Stream, StreamExt};
use livedrop::AsyncDrop;
use livedrop::state::Holds;

use super::*;

/// A line to a peer: what it sends comes back.
struct Line {
    resource: Resource,
    items: VecDeque<u32>,
    #[cfg_attr(not(feature = "tokio"), expect(dead_code, reason = "only tokio's traits use it"))]
    bytes: VecDeque<u8>,
    asked: u32,
    flushed: u32,
    is_closed: bool,
}

#[async_trait]
impl AsyncDrop for Line {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        self.resource.async_drop_impl().await
    }
}

impl Line {
    fn new(log: &Arc<Log>, items: impl IntoIterator<Item = u32>) -> Self {
        let (items, bytes) = (items.into_iter().collect(), VecDeque::new());
        Self { resource: resource(log), items, bytes, asked: 0, flushed: 0, is_closed: false }
    }
}

impl Stream for Line {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u32>> {
        Poll::Ready(self.items.pop_front())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.items.len(), Some(self.items.len()))
    }
}

impl Sink<u32> for Line {
    type Error = Infallible;

    fn poll_ready(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.asked += 1;
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, item: u32) -> Result<(), Infallible> {
        self.items.push_back(item);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.flushed += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_closed = true;
        Poll::Ready(Ok(()))
    }
}

/// Uses the guard as a stream and as a sink.
async fn stream_and_sink<S: Holds>(line: &mut AsyncDropGuard<Line, S>)
where
    AsyncDropGuard<Line, S>: Unpin,
{
    let cleaned = line.resource.log.counts().0;
    assert_eq!(Stream::size_hint(line), (1, Some(1)));
    line.send(2).await.unwrap();
    line.feed(3).await.unwrap();
    assert_eq!((line.asked, line.flushed), (2, 1));
    assert_eq!(Stream::size_hint(line), (3, Some(3)));
    assert_eq!(line.next().await, Some(1));
    assert_eq!(line.by_ref().map(|item| item * 2).collect::<Vec<_>>().await, [4, 6]);
    assert!(!line.is_closed);
    line.close().await.unwrap();
    assert!(line.is_closed, "the value's sink is closed");
    assert_eq!(line.resource.log.counts().0, cleaned, "the cleanup is still owed");
}

/// Calls the function with a guard in each state, cleans up, and expects one cleanup of each.
macro_rules! in_each_state {
    ($uses:ident) => {{
        let log = log();
        let ((), report) = under(|reaper| {
            let line = || Line::new(&log, [1]);
            block_on(async {
                let mut guard = AsyncDropGuard::new(line());
                $uses(&mut guard).await;
                guard.async_drop().await.unwrap();
                let mut guard = AsyncDropGuard::live(line());
                $uses(&mut guard).await;
                guard.async_drop().await.result.unwrap();
                let mut guard = reaper.adopt(AsyncDropGuard::new(line()));
                $uses(&mut guard).await;
                guard.async_drop().await.unwrap();
                let guards =
                    (reaper.adopt(AsyncDropGuard::new(line())), AsyncDropGuard::live(line()));
                scope!((guards.0, guards.1), async |mut a, mut b| {
                    $uses(&mut a).await;
                    $uses(&mut b).await;
                    async_drop_all((a, b)).await.after(Ok::<_, Errors>(()))
                })
                .await
                .unwrap();
            });
        });
        assert_eq!((log.counts(), report.cleaned), ((5, 5, 5), 0));
    }};
}

#[test]
fn a_stream_and_a_sink_in_each_state() {
    in_each_state!(stream_and_sink);
}

#[test]
fn a_done_guard_is_no_stream_any_more() {
    let log = log();
    let mut guard = AsyncDropGuard::new(Line::new(&log, [1]));
    block_on(guard.async_drop()).unwrap();
    let text = panic_of(|| block_on(guard.next()));
    assert!(text.starts_with("used Line after its cleanup"), "{text}");
}

#[test]
fn a_stream_that_ends_leaves_a_select_cleaned() {
    let log = log();
    let ((), report) = under(|reaper| {
        let mut all = SelectAll::new();
        for count in 1..4 {
            all.push(reaper.adopt(AsyncDropGuard::new(Line::new(&log, 0..count))));
        }
        block_on(async {
            let mut items = Vec::new();
            while let Some(item) = all.next().await {
                items.push(item);
            }
            items.sort_unstable();
            assert_eq!(items, [0, 0, 0, 1, 1, 2]);
        });
        assert_eq!((all.len(), reaper.pending().len()), (0, 3));
    });
    assert_eq!((log.counts(), report.cleaned), ((3, 3, 3), 3));
}

#[test]
fn dropped_select_leaves_streams_to_the_reaper() {
    for taken in 0..4 {
        let log = log();
        let ((), report) = under(|reaper| {
            let mut all = SelectAll::new();
            for _ in 0..2 {
                all.push(reaper.adopt(AsyncDropGuard::new(Line::new(&log, [1, 2]))));
            }
            for _ in 0..taken {
                assert!(block_on(all.next()).is_some());
            }
        });
        assert_eq!((log.counts(), report.cleaned), ((2, 2, 2), 2), "{taken} items taken");
    }
}

#[cfg(feature = "tokio")]
mod tokio_io {
    use std::io::{IoSlice, Result};

    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

    use super::*;

    impl AsyncRead for Line {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<Result<()>> {
            if let Some(byte) = self.bytes.pop_front() {
                buf.put_slice(&[byte]);
            }
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Line {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<Result<usize>> {
            self.bytes.extend(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
            self.flushed += 1;
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
            self.is_closed = true;
            Poll::Ready(Ok(()))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<Result<usize>> {
            let before = self.bytes.len();
            for slice in slices {
                self.bytes.extend(slice.iter());
            }
            Poll::Ready(Ok(self.bytes.len() - before))
        }

        fn is_write_vectored(&self) -> bool {
            !self.is_closed
        }
    }

    async fn read_and_write<S: Holds>(line: &mut AsyncDropGuard<Line, S>)
    where
        AsyncDropGuard<Line, S>: Unpin,
    {
        let cleaned = line.resource.log.counts().0;
        line.write_all(b"ab").await.unwrap();
        let slices = [IoSlice::new(b"c"), IoSlice::new(b"de")];
        assert!(AsyncWrite::is_write_vectored(line));
        assert_eq!(line.write_vectored(&slices).await.unwrap(), 3, "it is not cut to one slice");
        AsyncWriteExt::flush(line).await.unwrap();
        assert_eq!(line.flushed, 1);
        let mut text = String::new();
        line.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "abcde");
        line.shutdown().await.unwrap();
        assert!(line.is_closed, "the value's stream is shut down");
        assert!(!AsyncWrite::is_write_vectored(line));
        assert_eq!(line.resource.log.counts().0, cleaned, "the cleanup is still owed");
    }

    #[test]
    fn a_reader_and_a_writer_in_each_state() {
        in_each_state!(read_and_write);
    }
}
