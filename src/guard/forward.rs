//! Forwards the traits that a `Box` forwards, for values that are `Unpin`. Not `Future`: it would be
//! taken for the cleanup.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream};

use super::AsyncDropGuard;
use crate::state::Holds;

impl<T: Stream + Unpin, S: Holds> Stream for AsyncDropGuard<T, S>
where
    Self: Unpin,
{
    type Item = T::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T::Item>> {
        Pin::new(&mut **self).poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (**self).size_hint()
    }
}

impl<T: Sink<I> + Unpin, S: Holds, I> Sink<I> for AsyncDropGuard<T, S>
where
    Self: Unpin,
{
    type Error = T::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        Pin::new(&mut **self).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, item: I) -> Result<(), T::Error> {
        Pin::new(&mut **self).start_send(item)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        Pin::new(&mut **self).poll_flush(cx)
    }

    /// Closes the sink. The cleanup of the guard is still owed.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        Pin::new(&mut **self).poll_close(cx)
    }
}

#[cfg(any(feature = "fs", feature = "tokio"))]
mod tokio_io {
    use std::io::{IoSlice, Result};
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use crate::AsyncDropGuard;
    use crate::state::Holds;

    impl<T: AsyncRead + Unpin, S: Holds> AsyncRead for AsyncDropGuard<T, S>
    where
        Self: Unpin,
    {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<Result<()>> {
            Pin::new(&mut **self).poll_read(cx, buf)
        }
    }

    impl<T: AsyncWrite + Unpin, S: Holds> AsyncWrite for AsyncDropGuard<T, S>
    where
        Self: Unpin,
    {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<Result<usize>> {
            Pin::new(&mut **self).poll_write(cx, buf)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
            Pin::new(&mut **self).poll_flush(cx)
        }

        /// Shuts the value's stream down. The cleanup of the guard is still owed.
        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
            Pin::new(&mut **self).poll_shutdown(cx)
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bufs: &[IoSlice<'_>],
        ) -> Poll<Result<usize>> {
            Pin::new(&mut **self).poll_write_vectored(cx, bufs)
        }

        fn is_write_vectored(&self) -> bool {
            (**self).is_write_vectored()
        }
    }
}
