//! `SyncDrop`: cleans up in `Drop`, for tests.

use std::fmt::{self, Debug};
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::guard::{CleanupResult, Slot, clean_in_place};
use crate::panic::caught;
use crate::state::Cleanable;
use crate::{AsyncDrop, AsyncDropGuard, Checked, type_name};

/// Holds a guard, and blocks the thread in `Drop` until the value is cleaned up. For tests.
///
/// A test can then end at any assertion, in a function that is not `async`. Everything else is
/// to await its cleanups: this is behind the feature `testing`, to be turned on in
/// `[dev-dependencies]`.
///
/// It works outside of any runtime, and on a multi-thread tokio runtime. A cleanup that waits
/// for something that the blocked thread itself is to drive never ends: a single-threaded
/// executor other than tokio's, say. Such a one cannot be seen from here.
///
/// # Panics
///
/// Dropping it panics
///
/// - on a current-thread tokio runtime and in a `LocalSet`, at once and without cleaning up: the
///   cleanup would wait for the thread that it blocks;
/// - if the cleanup fails, with its error;
/// - if the cleanup panics.
///
/// While the thread is panicking already, none of this can abort the process: the value is
/// cleaned up, and an error or a panic of the cleanup goes to the [hook](crate::hook). Where that
/// would deadlock, it is not cleaned up, and the hook gets that.
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
#[must_use = "the value is cleaned up at once otherwise"]
pub struct SyncDrop<T: AsyncDrop, S: Cleanable<T> = Checked> {
    guard: Option<AsyncDropGuard<T, S>>,
}

const HELD: &str = "the guard is held until `into_inner` or `drop`, which take this";

impl<T: AsyncDrop, S: Cleanable<T>> SyncDrop<T, S> {
    /// Takes the guard over.
    pub fn new(guard: AsyncDropGuard<T, S>) -> Self {
        Self { guard: Some(guard) }
    }

    /// Gives the guard back. It is to be cleaned up as before.
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn into_inner(mut this: Self) -> AsyncDropGuard<T, S> {
        this.guard.take().expect(HELD)
    }
}

/// Cleans up.
impl<T: AsyncDrop, S: Cleanable<T>> Drop for SyncDrop<T, S> {
    fn drop(&mut self) {
        if self.guard.as_ref().is_none_or(|guard| guard.slot.get().is_none()) {
            return;
        }
        let cleanup = clean_in_place(&mut self.guard);
        if !thread::panicking() {
            if let Err(error) = block_in_test::<T, _>(cleanup) {
                panic!("cleanup of {} failed: {error:?}", type_name::of::<T>());
            }
            return;
        }
        // The hook gets what goes wrong: a panic here would abort.
        drop(CleanupResult::<T>::new(caught(|| block_in_test::<T, _>(cleanup))));
    }
}

/// The value. Panics as that of the guard does.
impl<T: AsyncDrop, S: Cleanable<T>> Deref for SyncDrop<T, S> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        self.guard.as_ref().expect(HELD)
    }
}

/// The value. Panics as that of the guard does.
impl<T: AsyncDrop, S: Cleanable<T>> DerefMut for SyncDrop<T, S> {
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().expect(HELD)
    }
}

/// Shows the value, as the guard does.
impl<T: AsyncDrop + Debug, S: Cleanable<T>> Debug for SyncDrop<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.guard.fmt(f)
    }
}

/// Blocks the thread until the future is ready, if somebody else can drive what it waits for.
fn block_in_test<T, F: Future>(cleanup: F) -> F::Output {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        // Lets the runtime go on with its other tasks on another thread.
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(|| block_on(cleanup)),
        Ok(_) => panic!(
            "SyncDrop of {} would deadlock on a current-thread tokio runtime: its cleanup waits \
             for the thread that it blocks\n\
             Write `#[tokio::test(flavor = \"multi_thread\")]`, or await the cleanup: \
             `SyncDrop::into_inner(value).async_drop().await`.",
            type_name::of::<T>()
        ),
        Err(_) => block_on(cleanup),
    }
}

/// Polls on this thread. Unlike the one of `futures`, it nests in any executor.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unparks(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            // Somebody else may unpark this thread, too: that is one poll more.
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
