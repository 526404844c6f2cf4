//! The value of all measurements, and the executor that runs its cleanup.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use livedrop::AsyncDrop;

/// Three words.
#[derive(Debug)]
pub(crate) struct Value {
    waits: u64,
    cleaned: u64,
    touched: u64,
}

impl Value {
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

    /// The cleanup that all operations share.
    pub(crate) fn clean(&mut self) -> impl Future<Output = Result<(), Infallible>> + Send {
        async move {
            for _ in 0..self.waits {
                wake_and_wait().await;
            }
            self.cleaned += 1;
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
impl AsyncDrop for Value {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.clean().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Infallible>> + Send {
        self.clean()
    }
}

/// The same value. Nothing else in the program cleans up a value of this type.
#[derive(Debug)]
pub(crate) struct Alone(pub(crate) Value);

#[async_trait]
impl AsyncDrop for Alone {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.0.clean().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Infallible>> + Send {
        self.0.clean()
    }
}

/// The same value for `#[async_trait]` without `async_drop_unboxed`.
#[derive(Debug)]
pub(crate) struct Boxed(pub(crate) Value);

#[async_trait]
impl AsyncDrop for Boxed {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.0.clean().await
    }
}

#[async_trait]
impl async_drop_guard::AsyncDrop for Boxed {
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
