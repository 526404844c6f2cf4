//! `AsyncDropShared`: a future of a guarded value, awaited by several.

use async_trait::async_trait;
use futures::FutureExt;

use crate::bomb::Origin;
use crate::sync::Arc;
use crate::{
    Armed, ArmsLike, AsyncDrop, AsyncDropArc, AsyncDropGuard, Checked, Cleans, State, type_name,
};

mod access;
mod catching;
mod held;
mod task_panicked;

pub use task_panicked::TaskPanicked;

use catching::{Catching, Value};
use held::{Held, LEFT, Task};

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
/// use livedrop::{AsyncDropGuard, AsyncDropShared};
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
/// use livedrop::{AsyncDropGuard, AsyncDropShared, Live};
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
/// use livedrop::{AsyncDropGuard, AsyncDropShared, Reaper};
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
///     Ok::<(), livedrop::TaskPanicked>(()) // both are left to the reaper
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
        S: Cleans<O> + Armed,
        AsyncDropGuard<O, S>: Sync,
    {
        let value = Value::default();
        let future = Catching::new(future, Value::clone(&value));
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
    /// use livedrop::{AsyncDropGuard, AsyncDropShared};
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
        S: Cleans<O> + Armed,
        AsyncDropGuard<O, S>: Sync,
    {
        let value = Value::default();
        let future = Catching::new_ready(guard, Value::clone(&value));
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
        S: ArmsLike<AsyncDropArc<O, S>>,
    {
        let (task, origin) = (self.task("awaited"), Origin::here());
        async move {
            task.future.clone().await?;
            let value = task.value.get().expect(LEFT);
            // The state is that of the value's guard, whatever that of this handle's guard is:
            // the brand of a scope must not come to a second guard.
            let handle = AsyncDropArc::from_shared(Arc::clone(value));
            Ok(AsyncDropGuard { slot: S::arm_like(S::model(&value.slot), origin, handle) })
        }
    }

    #[track_caller]
    fn handle(task: Arc<Task<O, Fut, S>>) -> AsyncDropGuard<Self, S>
    where
        S: Armed,
    {
        let handle = Self { held: Held::Task(task) };
        AsyncDropGuard { slot: S::arm(Origin::here(), handle) }
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
    S: Cleans<O>,
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
