//! What the files have in common: the buffer, the sync, and `AsyncWrite` for both.

use std::io;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::task::{JoinHandle, spawn_blocking};

/// A file with a buffer.
#[derive(Debug)]
pub(super) struct Buffered {
    pub(super) writer: BufWriter<tokio::fs::File>,
    /// Whether the file was written to since the last sync began.
    is_dirty: bool,
    /// The first failure of a write or a flush. The content has a gap then, also if later writes succeed.
    failure: Option<io::ErrorKind>,
    sync: Blocking,
}

impl Buffered {
    pub(super) fn new(file: tokio::fs::File) -> Self {
        let writer = BufWriter::new(file);
        Self { writer, is_dirty: true, failure: None, sync: Blocking::default() }
    }

    /// Writes the buffer to the file, and syncs the file to the disk.
    ///
    /// Not by tokio's `sync_all`: if that is cancelled, the error of the sync is lost, because the system
    /// reports a failed write to the disk only once.
    pub(super) async fn flush_and_sync(&mut self) -> io::Result<()> {
        self.writer.flush().await?;
        if let Some(failure) = self.failure {
            return Err(io::Error::new(failure, "an earlier write failed"));
        }
        self.sync.finish().await?;
        if self.is_dirty {
            let file = self.writer.get_ref().try_clone().await?.into_std().await;
            self.is_dirty = false;
            self.sync.start(move || sync(&file));
        }
        self.sync.finish().await
    }

    /// Polls a write or a flush, and notes its failure.
    pub(super) fn poll<R>(
        &mut self,
        operation: impl FnOnce(Pin<&mut BufWriter<tokio::fs::File>>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        self.is_dirty = true;
        let poll = operation(Pin::new(&mut self.writer));
        if let Poll::Ready(Err(error)) = &poll {
            self.failure.get_or_insert(error.kind());
        }
        poll
    }
}

/// Syncs a file. A pipe or a device cannot be synced, which is no error.
fn sync(file: &std::fs::File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// Implements `AsyncRead`, `AsyncWrite` and `AsyncSeek` by the field `file`, a [`Buffered`].
macro_rules! forward_to_buffered {
    ($File:ty) => {
        /// Reads from the file, after it has flushed the buffer.
        impl ::tokio::io::AsyncRead for $File {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ::tokio::io::ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                // Not if it is empty: the flush of tokio's file would drop the result of a read that has begun.
                if !self.file.writer.buffer().is_empty() {
                    ready!(self.as_mut().poll_flush(cx))?;
                }
                Pin::new(&mut self.file.writer).poll_read(cx, buf)
            }
        }

        /// Writes to the buffer, which is flushed when it is full.
        impl AsyncWrite for $File {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.file.poll(|writer| writer.poll_write(cx, buf))
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.file.poll(|writer| writer.poll_flush(cx))
            }

            /// Flushes the buffer. The cleanup of the guard is still owed.
            fn poll_shutdown(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                self.file.poll(|writer| writer.poll_shutdown(cx))
            }

            fn poll_write_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.file.poll(|writer| writer.poll_write_vectored(cx, bufs))
            }

            fn is_write_vectored(&self) -> bool {
                AsyncWrite::is_write_vectored(&self.file.writer)
            }
        }

        /// Flushes the buffer, and seeks in the file.
        impl ::tokio::io::AsyncSeek for $File {
            fn start_seek(mut self: Pin<&mut Self>, position: io::SeekFrom) -> io::Result<()> {
                Pin::new(&mut self.file.writer).start_seek(position)
            }

            fn poll_complete(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<io::Result<u64>> {
                // Not if it is empty: the flush of tokio's file would end a seek that has begun.
                if !self.file.writer.buffer().is_empty() {
                    ready!(self.as_mut().poll_flush(cx))?;
                }
                Pin::new(&mut self.file.writer).poll_complete(cx)
            }
        }
    };
}
pub(super) use forward_to_buffered;

/// A blocking operation. If a caller of `finish` is cancelled, the operation goes on, and the next call
/// awaits it.
#[derive(Debug, Default)]
pub(super) struct Blocking(Option<JoinHandle<io::Result<()>>>);

impl Blocking {
    pub(super) fn start(&mut self, operation: impl FnOnce() -> io::Result<()> + Send + 'static) {
        self.0 = Some(spawn_blocking(operation));
    }

    /// Waits for the operation, if there is one.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        let Some(running) = &mut self.0 else { return Ok(()) };
        let result = running.await;
        self.0 = None;
        // It cannot be joined if the runtime shuts down.
        result.unwrap_or_else(|error| Err(error.into()))
    }
}

/// Turns the error that the file does not exist into a success.
pub(super) fn removed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::future::poll_fn;
    use std::sync::mpsc;
    use tokio::io::AsyncWrite;
    use tokio::runtime::Builder;

    #[tokio::test]
    async fn a_cancelled_operation_keeps_its_error() {
        let (go, begin) = mpsc::channel();
        let mut operation = Blocking::default();
        operation.start(move || {
            begin.recv().expect("it is sent");
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(operation.finish().now_or_never().is_none());
        go.send(()).unwrap();
        assert_eq!(operation.finish().await.unwrap_err().kind(), io::ErrorKind::StorageFull);
        operation.finish().await.unwrap();
    }

    #[test]
    fn an_operation_fails_after_its_runtime_has_ended() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let handle = runtime.handle().clone();
        drop(runtime);
        let _context = handle.enter();
        let mut operation = Blocking::default();
        operation.start(|| Ok(()));
        assert!(futures::executor::block_on(operation.finish()).is_err());
    }

    #[tokio::test]
    async fn a_write_after_a_sync_is_synced() {
        let mut file = Buffered::new(tempfile::tempfile().unwrap().into());
        file.flush_and_sync().await.unwrap();
        assert!(!file.is_dirty);
        poll_fn(|cx| file.poll(|writer| writer.poll_write(cx, b"text"))).await.unwrap();
        assert!(file.is_dirty);
    }
}
