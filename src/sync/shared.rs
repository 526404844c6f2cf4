//! `AsyncDropShared`: a future of a guarded value that several callers await.

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::Shared;

use super::AsyncDropArc;
use super::gone::Watched;
use crate::guard::Origin;
use crate::panic::{self, PanicPayload, caught, drop_payload};
use crate::shim::Arc;
use crate::state::{Armed, Cleanable, Holds, LocallyCleanable, State};
use crate::{AsyncDrop, AsyncDropGuard, Checked, hook, type_name};

mod waiter;

use waiter::Waiter;

/// A handle of a shared future of a guarded value. The future runs once for all handles.
///
/// [`get`](Self::get) awaits the future, and returns an [`AsyncDropArc`] of its value, in a guard
/// of its own for each call. The callers of `get` and the cleanup of the last handle poll the
/// future, one at a time. While none of them is polled, the future makes no progress. `(&handle).await`
/// does the same as `get`, but panics if the future panicked.
///
/// Every handle has a guard, too, and must be cleaned up. The cleanup of the last handle awaits the
/// future if it has not finished yet, and then cleans up the value. If there are still
/// [`AsyncDropArc`]s of the value, the last one of them cleans up the value instead. The cleanup of
/// any other handle releases its reference, and is ready at once. In whatever order handles and
/// waiters are made and dropped, a value that the future returns is cleaned up once.
///
/// The guards of the handles are in the state `S` of the guard that the future returns.
///
/// `S` is [`Checked`] or [`Live`](crate::Live), not [`Adopted`](crate::Adopted): until the future
/// has finished, no guard names the reaper. Adopt the handles where they are made, and adopt the
/// guards that `get` returns. Then any owner can be cancelled at any time, and the value is still
/// cleaned up once. See [the example](#adopted-handles).
///
/// # Errors
///
/// The cleanup of the last handle fails with the error of the value's cleanup.
///
/// # Panics
///
/// If the future panics, all callers of `get` receive the error [`TaskPanicked`], and the future is
/// not polled again. If it panics while the cleanup of the last handle awaits it, no caller is left
/// to receive the error, so that cleanup panics with the same message.
///
/// # Cancel safety
///
/// The cleanup is cancel safe: the next call continues it. While the future has not finished, the
/// handle can be used in between. Once the cleanup of the value has begun, the handle's methods
/// panic.
///
/// # Examples
///
/// All handles share one connection. The first call of `get` opens it:
///
/// ```
/// use livedrop::sync::AsyncDropShared;
/// use livedrop::AsyncDropGuard;
/// # use std::io;
/// # struct Connection;
/// # impl Connection {
/// #     async fn open() -> AsyncDropGuard<Self> { AsyncDropGuard::new(Connection) }
/// #     async fn send(&self, _: &str) {}
/// # }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
///
/// let mut shared = AsyncDropShared::new(Connection::open());
/// let mut other = AsyncDropShared::clone(&shared);
///
/// let mut connection = shared.get().await?;
/// connection.send("hello").await;
/// connection.async_drop().await?; // releases its reference
///
/// shared.async_drop().await?; // releases its reference
/// other.async_drop().await?; // closes the connection
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
///
/// Checked at compile time:
///
/// ```
/// use livedrop::sync::AsyncDropShared;
/// use livedrop::{AsyncDropGuard, Live};
/// # use std::io;
/// # struct Connection;
/// # impl Connection {
/// #     async fn open() -> AsyncDropGuard<Self, Live> { AsyncDropGuard::live(Connection) }
/// #     async fn send(&self, _: &str) {}
/// # }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn f() -> io::Result<()> {
///
/// let shared = AsyncDropShared::new(Connection::open());
/// if let Ok(connection) = shared.get().await {
///     connection.send("hello").await;
///     let released = connection.async_drop().await.into_result()?;
/// }
/// let closed = shared.async_drop().await.into_result()?;
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
///
/// ## Adopted handles
///
/// ```
/// use livedrop::sync::AsyncDropShared;
/// use livedrop::{AsyncDropGuard, Reaper};
/// # use std::io;
/// # struct Connection;
/// # impl Connection {
/// #     async fn open() -> AsyncDropGuard<Self> { AsyncDropGuard::new(Connection) }
/// #     async fn send(&self, _: &str) {}
/// # }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let mut reaper = Reaper::new();
/// let handle = reaper.handle();
/// let shared = reaper.adopt(AsyncDropShared::new(Connection::open()));
/// let other = reaper.adopt(AsyncDropShared::clone(&shared));
///
/// let user = tokio::spawn(async move {
///     let connection = handle.adopt(other.get().await?);
///     connection.send("hello").await;
///     Ok::<(), livedrop::sync::TaskPanicked>(()) // the reaper cleans up both
/// });
/// user.abort(); // at any time
/// drop(shared);
/// reaper.async_drop().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a handle that is dropped outside its guard may leave its value without cleanup"]
pub struct AsyncDropShared<O, Fut, S: State = Checked>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    held: Held<O, Fut, S>,
}

impl<O, Fut, S> AsyncDropShared<O, Fut, S>
where
    S: State,
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    /// Shares `future`, and returns the first handle.
    ///
    /// `future` is not polled before a handle is awaited or cleaned up.
    #[track_caller]
    pub fn new(future: Fut) -> AsyncDropGuard<Self, S>
    where
        O: AsyncDrop,
        Fut: Send,
        S: Armed + Cleanable<O>,
        AsyncDropGuard<O, S>: Sync,
    {
        let value = Value::<O, S>::default();
        let future = Catching::new(future, value.clone());
        Self::handle(Arc::new(Task { future: future.shared(), value }))
    }

    /// Shares the value of `guard`, and returns the first handle.
    ///
    /// Use this if the value exists already, but a handle of the type with the future `Fut` is
    /// needed.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::future::BoxFuture;
    /// use livedrop::sync::AsyncDropShared;
    /// use livedrop::AsyncDropGuard;
    /// # use std::convert::Infallible;
    /// # struct Config;
    /// # #[async_trait::async_trait]
    /// # impl livedrop::AsyncDrop for Config {
    /// #     type Error = Infallible;
    /// #     async fn async_drop_impl(&mut self) -> Result<(), Infallible> { Ok(()) }
    /// # }
    /// # async fn load() -> AsyncDropGuard<Config> { AsyncDropGuard::new(Config) }
    ///
    /// type Loading = BoxFuture<'static, AsyncDropGuard<Config>>;
    ///
    /// fn config(
    ///     cached: Option<AsyncDropGuard<Config>>,
    /// ) -> AsyncDropGuard<AsyncDropShared<Config, Loading>> {
    ///     match cached {
    ///         Some(config) => AsyncDropShared::new_ready(config),
    ///         None => AsyncDropShared::new(Box::pin(load())),
    ///     }
    /// }
    /// # futures::executor::block_on(async {
    /// #     assert!(config(None).async_drop().await.is_ok());
    /// #     let mut ready = config(Some(AsyncDropGuard::new(Config)));
    /// #     assert!(ready.peek().is_some());
    /// #     ready.async_drop().await.unwrap();
    /// # });
    /// ```
    #[track_caller]
    pub fn new_ready(guard: AsyncDropGuard<O, S>) -> AsyncDropGuard<Self, S>
    where
        O: AsyncDrop,
        Fut: Send,
        S: Armed + Cleanable<O>,
        AsyncDropGuard<O, S>: Sync,
    {
        let value = Value::<O, S>::default();
        let future = Catching::new_ready(guard, value.clone());
        Self::handle(Arc::new(Task { future: future.shared(), value }))
    }

    /// Makes another handle, which must be cleaned up, too.
    ///
    /// # Panics
    ///
    /// If this is the last handle, and the cleanup of the value has begun.
    #[expect(clippy::should_implement_trait, reason = "`Clone` would return no guard")]
    #[track_caller]
    pub fn clone(this: &Self) -> AsyncDropGuard<Self, S>
    where
        Self: AsyncDrop,
        S: Armed,
    {
        Self::handle(Arc::clone(this.task("cloned")))
    }

    /// Awaits the future, and returns a handle of its value, which must be cleaned up, too.
    ///
    /// # Errors
    ///
    /// If the future panicked, no matter which task polled it.
    ///
    /// # Panics
    ///
    /// If this is the last handle, and the cleanup of the value has begun.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: other waiters continue to poll the shared future. If there are none, it keeps
    /// its progress until it is awaited again.
    #[must_use = "futures do nothing unless awaited: this does not start the shared future"]
    #[track_caller]
    pub fn get(
        &self,
    ) -> impl Future<Output = Result<AsyncDropGuard<AsyncDropArc<O, S>, S>, TaskPanicked>>
    + use<'_, O, Fut, S>
    where
        AsyncDropArc<O, S>: AsyncDrop,
        S: LocallyCleanable<AsyncDropArc<O, S>>,
    {
        self.waiter()
    }

    #[track_caller]
    fn waiter(&self) -> Waiter<'_, O, Fut, S> {
        let task = self.task("awaited");
        Waiter { future: task.future.clone(), value: &task.value, origin: Origin::here() }
    }

    /// Returns the value, or `None` if the future has not finished.
    ///
    /// # Errors
    ///
    /// If the future panicked.
    ///
    /// # Panics
    ///
    /// If this is the last handle, and the cleanup of the value has begun.
    #[must_use]
    #[track_caller]
    pub fn peek(&self) -> Option<Result<&O, TaskPanicked>>
    where
        S: Holds,
    {
        let task = self.task("peeked at");
        match task.value.get() {
            Some(value) => Some(Ok(value)),
            None => task.future.peek()?.clone().err().map(Err),
        }
    }

    /// Returns whether both are handles of the same future.
    ///
    /// This is `false` once the cleanup of the value has begun.
    #[must_use]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        match (&this.held, &other.held) {
            (Held::Task(this), Held::Task(other)) => Arc::ptr_eq(this, other),
            _ => false,
        }
    }

    /// Returns the number of handles. Another thread may change it before the caller reads it.
    ///
    /// It is 1 for the last handle once the cleanup of the value has begun. The handles of the
    /// value that [`get`](Self::get) returned are not counted.
    #[must_use]
    pub fn strong_count(this: &Self) -> usize {
        match &this.held {
            Held::Task(task) => Arc::strong_count(task),
            Held::Last(_) => 1,
            Held::Gone => 0,
        }
    }

    #[track_caller]
    fn handle(task: Arc<Task<O, Fut, S>>) -> AsyncDropGuard<Self, S>
    where
        Self: AsyncDrop,
        S: Armed,
    {
        AsyncDropGuard::wrapper(Origin::here(), Self { held: Held::Task(task) }, None)
    }

    #[track_caller]
    fn task(&self, attempt: &str) -> &Arc<Task<O, Fut, S>> {
        match &self.held {
            Held::Task(task) => task,
            _ => panic!("{attempt} {} after its cleanup had begun", type_name::of::<Self>()),
        }
    }
}

/// Releases the reference. The last handle awaits the future, and cleans up the value as the last
/// [`AsyncDropArc`] does.
#[async_trait]
impl<O, Fut, S> AsyncDrop for AsyncDropShared<O, Fut, S>
where
    O: AsyncDrop,
    Fut: Future<Output = AsyncDropGuard<O, S>> + Send,
    S: Cleanable<O>,
    AsyncDropGuard<O, S>: Sync,
{
    type Error = O::Error;

    async fn async_drop_impl(&mut self) -> Result<(), O::Error> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), O::Error>> + Send {
        async move {
            self.held.release().await;
            match &mut self.held {
                Held::Last(value) => value.async_drop_unboxed().await,
                _ => Ok(()),
            }
        }
    }
}

/// Shows the value, or why there is none.
impl<O: Debug, Fut, S: Holds> Debug for AsyncDropShared<O, Fut, S>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = type_name::of::<O>();
        match &self.held {
            Held::Task(_) => match self.peek() {
                Some(Ok(value)) => value.fmt(f),
                Some(Err(_)) => write!(f, "<{name}: its future panicked>"),
                None => write!(f, "<{name}: not there yet>"),
            },
            _ => write!(f, "<{name}: cleanup has begun>"),
        }
    }
}

/// What a handle stores.
enum Held<O, Fut, S: State>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    Task(Arc<Task<O, Fut, S>>),
    /// This is the last handle, and the cleanup of the value has begun.
    Last(AsyncDropArc<O, S>),
    /// The handle has released its reference, or the future panicked.
    Gone,
}

/// State shared by all handles. Only handles own an `Arc` of it, so its count is the number of
/// handles: a waiter borrows its handle, and owns only a clone of the future.
struct Task<O, Fut, S: State>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    future: Shared<Catching<O, Fut, S>>,
    value: Value<O, S>,
}

impl<O, Fut, S: State> Held<O, Fut, S>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    /// Releases the reference. The last handle awaits the future, and takes over its value.
    ///
    /// # Panics
    ///
    /// If the future panics during this call: no other caller could get the error.
    fn release(&mut self) -> impl Future<Output = ()> {
        async move {
            let Some(task) = self.take_task() else { return };
            // `Arc::into_inner` returns the task to exactly one of all handles.
            let Some(task) = Arc::into_inner(task) else { return };
            let panicked_before = matches!(task.future.peek(), Some(Err(_)));
            let future = task.future.clone();
            // If this is cancelled, the handle can still be used.
            *self = Held::Task(Arc::new(task));
            let result = future.await;
            let Some(task) = self.take_task() else { return };
            match result {
                Ok(()) => {
                    let value = task.value.get().expect(STORED);
                    *self = Held::Last(AsyncDropArc::from_shared(Arc::clone(value)));
                }
                Err(_) if panicked_before => {}
                Err(panicked) => panicked.resume(),
            }
        }
    }

    fn take_task(&mut self) -> Option<Arc<Task<O, Fut, S>>> {
        match std::mem::replace(self, Held::Gone) {
            Held::Task(task) => Some(task),
            other => {
                *self = other;
                None
            }
        }
    }
}

const STORED: &str = "a future that finished without a panic has stored its value";

/// The cell in which the future stores its value. The value is not the output of the future: every
/// clone of a `Shared` keeps the output alive, and a leaked waiter must not prevent the cleanup.
type Value<O, S> = std::sync::Arc<OnceLock<Arc<Watched<O, S>>>>;

/// Stores the value of a future in a cell, and catches a panic of its `poll`.
struct Catching<O, Fut, S: State> {
    /// Boxed, so that the future stays pinned when this is moved. `None` once it has finished.
    running: Option<Pin<Box<Fut>>>,
    value: Value<O, S>,
}

impl<O, Fut, S: State> Catching<O, Fut, S> {
    fn new(future: Fut, value: Value<O, S>) -> Self {
        Self { running: Some(Box::pin(future)), value }
    }

    fn new_ready(guard: AsyncDropGuard<O, S>, value: Value<O, S>) -> Self {
        value.get_or_init(|| Arc::new(Watched::new(guard)));
        Self { running: None, value }
    }
}

impl<O, Fut, S: State> Future for Catching<O, Fut, S>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    type Output = Result<(), TaskPanicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.running else {
            return Poll::Ready(Ok(()));
        };
        let result = match caught(|| future.as_mut().poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(guard)) => {
                self.value.get_or_init(|| Arc::new(Watched::new(guard)));
                Ok(())
            }
            Err(payload) => Err(TaskPanicked::new(payload)),
        };
        let finished = self.running.take();
        // The future may panic in its `Drop`. Its value is already stored, and is still good.
        if let Err(payload) = caught(|| drop(finished)) {
            hook::report_panic::<O>(payload);
        }
        Poll::Ready(result)
    }
}

/// The error of an [`AsyncDropShared`](crate::sync::AsyncDropShared) whose future panicked and will
/// never have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPanicked {
    message: std::sync::Arc<str>,
}

impl TaskPanicked {
    #[cold]
    fn new(payload: PanicPayload) -> Self {
        let message = panic::message(&payload).into();
        drop_payload(payload);
        Self { message }
    }

    /// Panics with this error as its message.
    fn resume(self) -> ! {
        resume_unwind(Box::new(self.to_string()))
    }

    /// Returns the message of the panic.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Display for TaskPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the shared future panicked: {}", self.message)
    }
}

impl Error for TaskPanicked {}
