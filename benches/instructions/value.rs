//! The value of all measurements, and the executor that runs its cleanup.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use livedrop::AsyncDrop;

/// The value that most operations share.
pub(crate) type Value = Numbered<0>;

/// Three words. Each number is a type of its own, with a cleanup of its own.
#[derive(Debug)]
pub(crate) struct Numbered<const N: u64> {
    waits: u64,
    cleaned: u64,
    touched: u64,
}

impl<const N: u64> Numbered<N> {
    /// Its cleanup waits this many times, and is woken at once.
    pub(crate) fn new(waits: u64) -> Self {
        // The compiler must not know the number.
        Self { waits: black_box(waits), cleaned: 0, touched: 1 }
    }

    /// Uses the value, and forces it into memory.
    pub(crate) fn touch(&mut self) {
        self.touched += 1;
        black_box(&*self);
    }

    /// The cleanup of all operations. It adds `N`, so that the compiler cannot merge the cleanups of two
    /// numbers.
    pub(crate) fn clean(&mut self) -> impl Future<Output = Result<(), Infallible>> + Send {
        async move {
            for _ in 0..self.waits {
                wake_and_wait().await;
            }
            self.cleaned += N + 1;
            black_box(self.cleaned);
            Ok(())
        }
    }

    /// The usual cleanup without any guarantee.
    pub(crate) async fn close(mut self) -> Result<(), Infallible> {
        self.clean().await
    }
}

#[async_trait]
impl<const N: u64> AsyncDrop for Numbered<N> {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.clean().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Infallible>> + Send {
        self.clean()
    }
}

/// The same value for `#[async_trait]` without `async_drop_unboxed`.
#[derive(Debug)]
pub(crate) struct Boxed<const N: u64 = 0>(pub(crate) Numbered<N>);

#[async_trait]
impl<const N: u64> AsyncDrop for Boxed<N> {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.0.clean().await
    }
}

#[async_trait]
impl<const N: u64> async_drop_guard::AsyncDrop for Boxed<N> {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.0.clean().await
    }
}

/// Is pending once, and wakes its task at once.
fn wake_and_wait() -> impl Future<Output = ()> + Send {
    let mut has_waited = false;
    std::future::poll_fn(move |cx| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// An executor that costs next to nothing: it polls until the future is ready.
///
/// The future is in memory and the waker is unknown to the compiler, as in a task. Otherwise the
/// compiler turns some operations into a plain loop without a future, and others not.
///
/// Always inlined. Otherwise the cost of an operation would depend on how many operations share a
/// future.
#[inline(always)]
#[expect(clippy::inline_always, reason = "so that all operations are treated alike")]
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    black_box(&mut future);
    let mut cx = Context::from_waker(black_box(Waker::noop()));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// Repeats the operation, and counts in memory. So the cost of the loop, which is subtracted, does
/// not depend on the registers that the operation uses.
#[inline(always)]
#[expect(clippy::inline_always, reason = "so that all operations are treated alike")]
pub(crate) fn repeat(times: u64, mut operation: impl FnMut()) {
    let left = AtomicU64::new(times);
    black_box(&left);
    while let Some(next) = left.load(Ordering::Relaxed).checked_sub(1) {
        left.store(next, Ordering::Relaxed);
        operation();
    }
}
