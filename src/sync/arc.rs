//! `AsyncDropArc`: a guarded value with several owners.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use async_trait::async_trait;

use super::AsyncDropWeak;
use crate::guard::{Origin, OwnedSlot, Slot, clean};
use crate::shim::Arc;
use crate::state::{Cleanable, Holds, State};
use crate::{AsyncDrop, AsyncDropGuard, Checked, type_name};

/// One of several handles of a guarded value.
///
/// Every handle stands in a guard of its own and has to be cleaned up like any other value. The
/// cleanup of the last one cleans up the value; that of the others lets go of it and is ready
/// at once. Which one is the last is decided when the cleanup is first polled, and is decided
/// for exactly one, however many do it at the same time.
///
/// The guards of all handles are in the state `S` of the value's guard. [`clone`](Self::clone)
/// takes the state from there, too, and not from the guard that it is called through. It is not
/// the trait's `clone`, which a handle does not have: the trait would have to make a handle
/// without a guard.
///
/// The handle gives `&T` only; for `&mut T`, share an
/// [`AsyncDropMutex`](crate::sync::AsyncDropMutex).
///
/// # Forgotten handles
///
/// A handle that is forgotten is reported to the [hook](crate::hook) as any guard is. It has
/// let go all the same, so that another handle still cleans the value up. If it was the last
/// one, the value is dragged along, and reported as well.
///
/// # Cancel safety
///
/// The cleanup is cancel safe: the last handle then holds the value alone, and the next call
/// begins its cleanup again. The value cannot be used or shared any more from there on:
/// [`clone`](Self::clone) and [`Deref`](std::ops::Deref) panic, and
/// [`upgrade`](AsyncDropWeak::upgrade) gives `None`. [`into_inner`](Self::into_inner) still
/// gives it back, unless it is adopted: its cleanup is only ever resumed, by this handle or by the
/// reaper.
///
/// # Errors
///
/// The cleanup of the last handle fails with the error of the value's. The others never fail.
///
/// # Panics
///
/// If it is used, cloned or downgraded once its cleanup has begun.
///
/// # Examples
///
/// ```
/// # use async_trait::async_trait;
/// # use livedrop::sync::AsyncDropArc;
/// # use livedrop::{AsyncDrop, AsyncDropGuard};
/// # use std::io;
/// # struct Connection;
/// # impl Connection { async fn send(&self, _: &str) -> io::Result<()> { Ok(()) } }
/// # #[async_trait]
/// # impl AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn f() -> io::Result<()> {
/// let mut first = AsyncDropArc::new(AsyncDropGuard::new(Connection));
/// let mut second = AsyncDropArc::clone(&first);
/// first.send("hello").await?;
/// first.async_drop().await?; // lets go
/// second.send("bye").await?;
/// second.async_drop().await?; // closes the connection
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
///
/// Checked at compile time, in a [`scope`](crate::scope()): the proof that the scope wants is
/// that of the value, so the last handle has to give the value back.
///
/// ```
/// # use async_trait::async_trait;
/// # use livedrop::sync::AsyncDropArc;
/// # use livedrop::{AsyncDrop, AsyncDropGuard, scope};
/// # use std::io;
/// # struct Connection;
/// # impl Connection { async fn send(&self, _: &str) -> io::Result<()> { Ok(()) } }
/// # #[async_trait]
/// # impl AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn f() -> io::Result<()> {
/// scope!(AsyncDropGuard::live(Connection), async |connection| {
///     let first = AsyncDropArc::new(connection);
///     let second = AsyncDropArc::clone(&first);
///     let sent = first.send("hello").await.and(second.send("bye").await);
///     let let_go = second.async_drop().await;
///     let Ok(connection) = AsyncDropArc::into_inner(first) else { panic!("the only handle") };
///     connection.async_drop().await.after(let_go.result.and(sent))
/// })
/// .await
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
#[must_use = "a handle outside of its guard reminds nobody to let go: the value may never be cleaned up"]
pub struct AsyncDropArc<T, S: State = Checked> {
    held: Held<T, S>,
}

impl<T, S: State> AsyncDropArc<T, S> {
    /// Shares the value of `guard`, by one handle.
    ///
    /// A guard that was cleaned up before can be shared; cleaning its handles up has no effect.
    #[track_caller]
    pub fn new(guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<Self, S>
    where
        T: AsyncDrop,
        S: Cleanable<T> + Cleanable<Self>,
        AsyncDropGuard<T, S>: Sync,
    {
        Self::handle(Arc::new(guard))
    }

    /// Makes another handle. It has to be cleaned up, too.
    ///
    /// # Panics
    ///
    /// If the cleanup of this handle has begun.
    #[expect(clippy::should_implement_trait, reason = "the trait's makes no guard")]
    #[track_caller]
    pub fn clone(this: &Self) -> AsyncDropGuard<Self, S>
    where
        Self: AsyncDrop,
        S: Cleanable<Self>,
    {
        Self::handle(Arc::clone(this.shared("cloned")))
    }

    /// Makes a reference that does not keep the value, and has no cleanup.
    ///
    /// # Panics
    ///
    /// If the cleanup of this handle has begun.
    #[track_caller]
    pub fn downgrade(this: &Self) -> AsyncDropWeak<T, S> {
        AsyncDropWeak::from_shared(Arc::downgrade(this.shared("downgraded")))
    }

    /// Takes the value out, in its guard, if this is the only handle.
    ///
    /// From then on, [`upgrade`](AsyncDropWeak::upgrade) gives `None`. A handle whose cleanup
    /// was cancelled is the only one.
    ///
    /// # Errors
    ///
    /// While there are other handles, this one comes back as it was. If two do this at the same
    /// time, both may come back: to be sure that one gets the value, let the others go with
    /// `async_drop` before.
    ///
    /// # Panics
    ///
    /// If `guard` was cleaned up before, which a [`Checked`] or an adopted guard can be, or if it
    /// is adopted and its cleanup has begun.
    #[track_caller]
    pub fn into_inner(
        mut guard: AsyncDropGuard<Self, S>,
    ) -> Result<AsyncDropGuard<T, S>, AsyncDropGuard<Self, S>>
    where
        S: Holds,
    {
        match guard.held.take_if_only() {
            Some(inner) => {
                drop(guard.into_value());
                Ok(inner)
            }
            None => Err(guard),
        }
    }

    /// How many handles there are: a glimpse, since others may come and go meanwhile.
    ///
    /// 1 for the last handle once its cleanup has begun.
    #[must_use = "to count the handles changes nothing"]
    pub fn strong_count(this: &Self) -> usize {
        match &this.held {
            Held::Shared(shared) => Arc::strong_count(shared),
            Held::Last(slot) => usize::from(!slot.is_done()),
            Held::Gone => 0,
        }
    }

    /// How many [`AsyncDropWeak`]s there are that could still be upgraded: a glimpse, as
    /// [`strong_count`](Self::strong_count) is.
    ///
    /// 0 once the cleanup of this handle has begun.
    #[must_use = "to count the references changes nothing"]
    pub fn weak_count(this: &Self) -> usize {
        match &this.held {
            Held::Shared(shared) => Arc::weak_count(shared),
            Held::Last(_) | Held::Gone => 0,
        }
    }

    /// Whether both are handles of the same value.
    ///
    /// `false` once the cleanup of one of them has begun.
    #[must_use = "to compare handles changes nothing"]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        match (&this.held, &other.held) {
            (Held::Shared(this), Held::Shared(other)) => Arc::ptr_eq(this, other),
            _ => false,
        }
    }

    /// Where the value is. It stays there until the last handle's cleanup begins, or
    /// [`into_inner`](Self::into_inner) takes it out.
    ///
    /// # Panics
    ///
    /// If the cleanup of this handle has begun.
    #[must_use = "to ask for the place of the value changes nothing"]
    #[track_caller]
    pub fn as_ptr(this: &Self) -> *const T
    where
        S: Holds,
    {
        &raw const **this
    }

    /// A handle without its guard.
    pub(super) fn from_shared(shared: Arc<AsyncDropGuard<T, S>>) -> Self {
        Self { held: Held::Shared(shared) }
    }

    /// A handle in a guard. If the value's guard is adopted, the new one is registered with the same
    /// reaper.
    #[track_caller]
    pub(super) fn handle(shared: Arc<AsyncDropGuard<T, S>>) -> AsyncDropGuard<Self, S>
    where
        Self: AsyncDrop,
        S: Cleanable<Self>,
    {
        Self::handle_at(Origin::here(), shared)
    }

    pub(super) fn handle_at(
        origin: Origin<Self>,
        shared: Arc<AsyncDropGuard<T, S>>,
    ) -> AsyncDropGuard<Self, S>
    where
        Self: AsyncDrop,
        S: Cleanable<Self>,
    {
        let registration = shared.slot.registration().and_then(|own| own.register_wrapper(origin));
        AsyncDropGuard::owing(origin, Self::from_shared(shared), registration)
    }

    #[track_caller]
    fn shared(&self, attempt: &str) -> &Arc<AsyncDropGuard<T, S>> {
        match &self.held {
            Held::Shared(shared) => shared,
            Held::Last(_) | Held::Gone => Self::begun(attempt),
        }
    }

    #[cold]
    #[track_caller]
    fn begun(attempt: &str) -> ! {
        let name = type_name::of::<T>();
        panic!(
            "{attempt} a handle of {name} after its cleanup had begun; if that was cancelled, \
             call `async_drop` again, or take the value out by `AsyncDropArc::into_inner`"
        )
    }
}

/// Lets go, and cleans the value up if this is the last handle.
#[async_trait]
impl<T: AsyncDrop, S: Cleanable<T>> AsyncDrop for AsyncDropArc<T, S>
where
    AsyncDropGuard<T, S>: Sync,
{
    type Error = T::Error;

    async fn async_drop_impl(&mut self) -> Result<(), T::Error> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
        async move {
            match self.held.let_go() {
                Some(last) => clean(last).await,
                None => Ok(()),
            }
        }
    }
}

/// The value.
///
/// # Panics
///
/// If the cleanup of this handle has begun.
impl<T, S: Holds> Deref for AsyncDropArc<T, S> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        self.shared("used")
    }
}

impl<T, S: Holds> Borrow<T> for AsyncDropArc<T, S> {
    #[track_caller]
    fn borrow(&self) -> &T {
        self
    }
}

impl<T, S: Holds> AsRef<T> for AsyncDropArc<T, S> {
    #[track_caller]
    fn as_ref(&self) -> &T {
        self
    }
}

/// Shows the value, as `Arc` does.
impl<T: fmt::Debug, S: Holds> fmt::Debug for AsyncDropArc<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.held {
            Held::Shared(guard) => fmt::Debug::fmt(&**guard, f),
            Held::Last(_) | Held::Gone => {
                write!(f, "<{}: cleanup has begun>", type_name::of::<T>())
            }
        }
    }
}

/// What a handle holds of the value.
enum Held<T, S: State> {
    Shared(Arc<AsyncDropGuard<T, S>>),
    /// This was the last handle, and its cleanup has begun. Boxed, so that a handle is small whatever
    /// the value is.
    Last(Box<OwnedSlot<T, S>>),
    /// This was not the last handle, or the value was taken out.
    Gone,
}

impl<T, S: State> Held<T, S> {
    /// Takes the value if this is the only handle.
    fn take_if_only(&mut self) -> Option<AsyncDropGuard<T, S>> {
        match std::mem::replace(self, Held::Gone) {
            Held::Shared(shared) => {
                Arc::try_unwrap(shared).map_err(|shared| *self = Held::Shared(shared)).ok()
            }
            Held::Last(slot) if slot.is_done() => None,
            Held::Last(slot) => S::Slot::from_owned(*slot).map(|slot| AsyncDropGuard { slot }),
            Held::Gone => None,
        }
    }

    /// Lets go of the value, or takes it over if this is the last handle.
    ///
    /// `Arc::into_inner` gives the value to exactly one of all the handles. To look at the
    /// count first, or to try and then let go, would leave a moment in which each of two takes
    /// the other one for the last.
    fn let_go(&mut self) -> Option<&mut OwnedSlot<T, S>> {
        if let Held::Shared(_) = self {
            if let Held::Shared(shared) = std::mem::replace(self, Held::Gone) {
                let guard = Arc::into_inner(shared)?;
                *self = Held::Last(Box::new(guard.slot.into_owned()));
            }
        }
        match self {
            Held::Last(slot) => Some(slot),
            _ => None,
        }
    }
}
