//! `SyncDrop`: cleans up in `Drop`, for tests.

use std::fmt::{self, Debug};
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use futures::FutureExt;
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::guard::{CleanupResult, Slot, clean_in_place};
use crate::panic::caught;
use crate::state::LocallyCleanable;
use crate::{AsyncDrop, AsyncDropGuard, Checked, type_name};

/// A guard for tests: its `Drop` blocks the thread until the value is cleaned up.
///
/// With it, a test that is not `async` can fail at any assertion and still clean up. All other code
/// should await its cleanups, so the feature `testing` belongs in `[dev-dependencies]`.
///
/// It works outside any runtime, and on a multi-thread tokio runtime. A cleanup never ends if it
/// waits for work that only the blocked thread can do, for example on a single-threaded executor
/// other than tokio's. `SyncDrop` cannot detect such an executor.
///
/// # Panics
///
/// Dropping it panics
///
/// - on a current-thread tokio runtime, if the first poll of the cleanup does not end it: the cleanup would
///   wait for the thread that it blocks. In a `LocalSet`, before the first poll;
/// - if the cleanup fails, with its error;
/// - if the cleanup panics.
///
/// If the thread is already panicking, dropping it does not panic, so it cannot abort the process.
/// It cleans up the value, and an error or a panic of the cleanup goes to the [hook](crate::hook).
/// If the cleanup would deadlock, it does not go on, and the hook gets the message of that panic.
///
/// # Examples
///
/// ```
/// use livedrop::testing::SyncDrop;
/// use livedrop::AsyncDropGuard;
/// # struct Server;
/// # impl Server { fn port(&self) -> u16 { 80 } }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Server {
/// #     type Error = std::io::Error;
/// #     async fn async_drop_impl(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
///
/// // #[test]
/// fn serves_http() {
///     let server = SyncDrop::new(AsyncDropGuard::new(Server));
///     assert_eq!(server.port(), 80);
/// } // the server is shut down here, even if the assertion fails
/// # serves_http();
///
/// // #[test]
/// fn serves_http_live() {
///     let server = SyncDrop::new(AsyncDropGuard::live(Server));
///     assert_eq!(server.port(), 80);
/// }
/// # serves_http_live();
/// ```
#[must_use = "dropping this cleans up the value at once"]
pub struct SyncDrop<T: AsyncDrop, S: LocallyCleanable<T> = Checked> {
    guard: Option<AsyncDropGuard<T, S>>,
}

impl<T: AsyncDrop, S: LocallyCleanable<T>> SyncDrop<T, S> {
    /// Makes a `SyncDrop` that owns `guard`.
    pub fn new(guard: AsyncDropGuard<T, S>) -> Self {
        Self { guard: Some(guard) }
    }

    /// Returns a reference to the guard.
    #[expect(clippy::missing_panics_doc, reason = "it never panics")]
    pub fn inner(&self) -> &AsyncDropGuard<T, S> {
        self.guard.as_ref().expect(HELD)
    }

    /// Returns the guard, which still owes its cleanup.
    #[expect(clippy::missing_panics_doc, reason = "it never panics")]
    pub fn into_inner(mut this: Self) -> AsyncDropGuard<T, S> {
        this.guard.take().expect(HELD)
    }

    /// The name that the original pattern has for this.
    #[doc(hidden)]
    #[deprecated(note = "renamed: write `SyncDrop::into_inner(value)`")]
    pub fn into_inner_dont_drop(self) -> AsyncDropGuard<T, S> {
        Self::into_inner(self)
    }
}

/// Cleans up the value, and blocks the thread until that has ended.
impl<T: AsyncDrop, S: LocallyCleanable<T>> Drop for SyncDrop<T, S> {
    fn drop(&mut self) {
        if self.guard.as_ref().is_none_or(|guard| guard.slot.is_done()) {
            return;
        }
        let cleanup = clean_in_place(&mut self.guard);
        if !thread::panicking() {
            if let Err(error) = block_in_test::<T, _>(cleanup) {
                panic!("cleanup of {} failed: {error:?}", type_name::of::<T>());
            }
            return;
        }
        // A panic would abort the process here, so the result goes to the hook.
        drop(CleanupResult::<T>::caught(caught(|| block_in_test::<T, _>(cleanup))));
    }
}

/// Dereferences to the value. Panics if the value was cleaned up before.
impl<T: AsyncDrop, S: LocallyCleanable<T>> Deref for SyncDrop<T, S> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        self.guard.as_ref().expect(HELD)
    }
}

/// Dereferences to the value. Panics if the value was cleaned up before.
impl<T: AsyncDrop, S: LocallyCleanable<T>> DerefMut for SyncDrop<T, S> {
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().expect(HELD)
    }
}

/// Shows the value, as the guard does.
impl<T: AsyncDrop + Debug, S: LocallyCleanable<T>> Debug for SyncDrop<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.guard.fmt(f)
    }
}

const HELD: &str = "only `into_inner` and `drop` take the guard, and both consume the `SyncDrop`";

/// Blocks the thread until `cleanup` is ready, or panics if tokio runs nothing else meanwhile.
fn block_in_test<T, F: Future>(cleanup: F) -> F::Output {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        // `block_in_place` moves the other tasks of this worker to another thread.
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(|| block_on(cleanup)),
        // Most cleanups in tests do not wait, so one poll decides.
        Ok(_) => pin!(cleanup).now_or_never().unwrap_or_else(|| {
            panic!(
                "SyncDrop of {} would deadlock on a current-thread tokio runtime: its cleanup waits \
                 for the thread that it blocks\n\
                 Write `#[tokio::test(flavor = \"multi_thread\")]`, or await the cleanup: \
                 `SyncDrop::into_inner(value).async_drop().await`.",
                type_name::of::<T>()
            )
        }),
        Err(_) => block_on(cleanup),
    }
}

/// Polls `future` on this thread. Unlike the `block_on` of `futures`, it works inside any executor.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unparks(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            // Other code may unpark this thread, too. That costs one more poll.
            Poll::Pending => thread::park(),
        }
    }
}

struct Unparks(Thread);

impl Wake for Unparks {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
