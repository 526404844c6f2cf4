//! `AsyncDropShared`: a future of a guarded value, awaited by several.

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
use crate::guard::Origin;
use crate::panic::{self, PanicPayload, caught, drop_payload};
use crate::shim::Arc;
use crate::state::{Armed, Cleanable, Holds, State};
use crate::{AsyncDrop, AsyncDropGuard, Checked, hook, type_name};

/// One of several handles of a future of a guarded value, which runs once for all of them.
///
/// [`get`](Self::get) awaits the future and gives an [`AsyncDropArc`] of its value, each in a
/// guard of its own. The future is polled by whoever awaits it, one at a time, and by nobody
/// else: without a waiter it rests.
///
/// Every handle stands in a guard, too. The cleanup of the last one awaits the future, if it is
/// not done yet, and cleans up the value, or leaves that to the last of the [`AsyncDropArc`]s
/// that are still out. That of the others lets go, and is ready at once. However the handles
/// and the waiters come and go, a value that comes to be is cleaned up once.
///
/// The guards of the handles are in the state `S` of the guard that the future gives.
///
/// `S` is [`Checked`] or [`Live`](crate::Live). Until the future is done, there is no guard that could
/// say which reaper a handle is for, so adopt the handles themselves, each where it is made, and what
/// `get` gives: whichever owner is cancelled then, and wherever, the value is cleaned up once. See
/// [the example](#adopted-handles).
///
/// # Errors
///
/// Cleaning up fails with the error of the value's cleanup, for the last handle.
///
/// # Panics
///
/// A panic of the future is an error for all who await it, [`TaskPanicked`]; it is not polled
/// again. If it panics while the cleanup of the last handle awaits it, so that there is nobody
/// else to tell, that panic is resumed.
///
/// # Cancel safety
///
/// Cleaning up is cancel safe: the next call goes on. As long as the future is not done, the
/// handle can be used in between; once the cleanup of the value has begun, its functions panic.
///
/// # Examples
///
/// One connection for all, opened when the first one asks:
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
/// connection.async_drop().await?; // lets go
///
/// shared.async_drop().await?; // lets go
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
///     let let_go = connection.async_drop().await.into_result()?;
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
///     Ok::<(), livedrop::sync::TaskPanicked>(()) // both are left to the reaper
/// });
/// user.abort(); // at any time
/// drop(shared);
/// reaper.async_drop().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a handle outside of its guard reminds nobody to let go: the value may never be cleaned up"]
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
    /// Shares a future, by one handle. It is not polled before somebody awaits it.
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

    /// Shares a value that is there already, by one handle.
    ///
    /// For where a future of the type `Fut` would have stood otherwise.
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
    /// fn config(cached: Option<AsyncDropGuard<Config>>) -> AsyncDropGuard<AsyncDropShared<Config, Loading>> {
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

    /// Makes another handle. It has to be cleaned up, too.
    ///
    /// # Panics
    ///
    /// If this was the last handle, and the cleanup of the value has begun.
    #[expect(clippy::should_implement_trait, reason = "the trait's makes no guard")]
    #[track_caller]
    pub fn clone(this: &Self) -> AsyncDropGuard<Self, S>
    where
        Self: AsyncDrop,
        S: Armed,
    {
        Self::handle(Arc::clone(this.task("cloned")))
    }

    /// Awaits the future, and gives a handle of its value, which has to be cleaned up, too.
    ///
    /// # Errors
    ///
    /// If the future panicked, whoever polled it then.
    ///
    /// # Panics
    ///
    /// If this was the last handle, and the cleanup of the value has begun.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the shared future is polled on by the others who await it, or else rests as
    /// it is.
    #[must_use = "futures do nothing unless awaited: nobody polls the shared future"]
    #[track_caller]
    pub fn get(
        &self,
    ) -> impl Future<Output = Result<AsyncDropGuard<AsyncDropArc<O, S>, S>, TaskPanicked>>
    + use<'_, O, Fut, S>
    where
        AsyncDropArc<O, S>: AsyncDrop,
        S: Cleanable<AsyncDropArc<O, S>>,
    {
        let (task, origin) = (self.task("awaited"), Origin::here());
        async move {
            task.future.clone().await?;
            let value = task.value.get().expect(LEFT);
            // The state is that of the value's guard, whatever that of this handle's guard is:
            // the brand of a scope must not come to a second guard.
            Ok(AsyncDropArc::handle_at(origin, Arc::clone(value)))
        }
    }

    #[track_caller]
    fn handle(task: Arc<Task<O, Fut, S>>) -> AsyncDropGuard<Self, S>
    where
        Self: AsyncDrop,
        S: Armed,
    {
        AsyncDropGuard::owing(Origin::here(), Self { held: Held::Task(task) }, None)
    }

    #[track_caller]
    fn task(&self, attempt: &str) -> &Arc<Task<O, Fut, S>> {
        match &self.held {
            Held::Task(task) => task,
            _ => panic!("{attempt} {} after its cleanup had begun", type_name::of::<Self>()),
        }
    }
}

/// Lets go. The last handle awaits the future, and cleans up the value as the last
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
            self.held.let_go().await;
            match &mut self.held {
                Held::Last(value) => value.async_drop_unboxed().await,
                _ => Ok(()),
            }
        }
    }
}

impl<O, Fut, S> AsyncDropShared<O, Fut, S>
where
    S: State,
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    /// The value, if the future is done.
    ///
    /// # Errors
    ///
    /// If the future panicked.
    ///
    /// # Panics
    ///
    /// If this was the last handle, and the cleanup of the value has begun.
    #[track_caller]
    #[must_use = "it only looks"]
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

    /// Whether both are handles of the same future.
    ///
    /// `false` once the cleanup of the value has begun.
    #[must_use = "it only compares"]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        match (&this.held, &other.held) {
            (Held::Task(this), Held::Task(other)) => Arc::ptr_eq(this, other),
            _ => false,
        }
    }

    /// How many handles there are: a glimpse, since others may come and go meanwhile.
    ///
    /// 1 for the last handle once the cleanup of the value has begun. The handles of the value
    /// that [`get`](Self::get) has given are not among them.
    #[must_use = "it only counts"]
    pub fn strong_count(this: &Self) -> usize {
        match &this.held {
            Held::Task(task) => Arc::strong_count(task),
            Held::Last(_) => 1,
            Held::Gone => 0,
        }
    }
}

/// Shows the value, if there is one.
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

enum Held<O, Fut, S: State>
where
    Fut: Future<Output = AsyncDropGuard<O, S>>,
{
    Task(Arc<Task<O, Fut, S>>),
    /// This was the last handle, and the cleanup of the value has begun.
    Last(AsyncDropArc<O, S>),
    Gone,
}

/// What the handles have in common. As many handles there are as own this: a waiter borrows its
/// handle, and owns no more than its place in the queue of the future.
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
    /// Lets go of the future, or, if this is the last handle, awaits it and takes over its value.
    ///
    /// # Panics
    ///
    /// If the future does, since nobody else is there to be told.
    fn let_go(&mut self) -> impl Future<Output = ()> {
        async move {
            let Some(task) = self.take_task() else { return };
            // Gives it to exactly one of all the handles.
            let Some(task) = Arc::into_inner(task) else { return };
            let panicked_before = matches!(task.future.peek(), Some(Err(_)));
            let future = task.future.clone();
            // If this is cancelled, the handle is as it was before.
            *self = Held::Task(Arc::new(task));
            let result = future.await;
            let Some(task) = self.take_task() else { return };
            match result {
                Ok(()) => {
                    let value = task.value.get().expect(LEFT);
                    *self = Held::Last(AsyncDropArc::from_shared(Arc::clone(value)));
                }
                Err(_) if panicked_before => {}
                Err(panicked) => resume_unwind(Box::new(panicked.to_string())),
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

const LEFT: &str = "a future that ended without a panic has left its value";

/// Where the future leaves its value. That is not its output: an output is kept by whatever
/// keeps the future, and a waiter that is leaked must not keep the value from its cleanup.
type Value<O, S> = std::sync::Arc<OnceLock<Arc<AsyncDropGuard<O, S>>>>;

/// Leaves the value of a future where it is to go, and catches its panic in its `poll`.
struct Catching<O, Fut, S: State> {
    /// Boxed, so that it is pinned wherever this is moved. `None` once it is over.
    running: Option<Pin<Box<Fut>>>,
    value: Value<O, S>,
}

impl<O, Fut, S: State> Catching<O, Fut, S> {
    fn new(future: Fut, value: Value<O, S>) -> Self {
        Self { running: Some(Box::pin(future)), value }
    }

    fn new_ready(guard: AsyncDropGuard<O, S>, value: Value<O, S>) -> Self {
        value.get_or_init(|| Arc::new(guard));
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
                self.value.get_or_init(|| Arc::new(guard));
                Ok(())
            }
            Err(payload) => Err(TaskPanicked::new(payload)),
        };
        let over = self.running.take();
        // What is left of it may panic when it is dropped. The value is there all the same.
        if let Err(payload) = caught(|| drop(over)) {
            hook::report_panic::<O>(payload);
        }
        Poll::Ready(result)
    }
}

/// The future of an [`AsyncDropShared`](crate::sync::AsyncDropShared) panicked: there is no value, and
/// there never will be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPanicked {
    message: Arc<str>,
}

impl TaskPanicked {
    #[cold]
    fn new(payload: PanicPayload) -> Self {
        let message = panic::message(&payload).into();
        drop_payload(payload);
        Self { message }
    }

    /// The message of the panic.
    #[must_use = "it only looks"]
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
