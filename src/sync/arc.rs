//! `AsyncDropArc`, a guarded value with several owners, and `AsyncDropWeak`, a reference that does not
//! keep it alive.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use futures::future::BoxFuture;

use super::gone::{Gone, Waiters, Watched};
use crate::guard::{Origin, OwnedSlot, Slot, clean};
use crate::reaper::Registration;
use crate::shim::{Arc, Weak};
use crate::state::{Cleanable, Holds, LocallyCleanable, State};
use crate::{AsyncDrop, AsyncDropGuard, Checked, type_name};

/// A handle of a shared guarded value: an [`Arc`](std::sync::Arc) with an async cleanup.
///
/// Every handle has a guard of its own and must be cleaned up like any other value. The cleanup of
/// the last handle cleans up the value. The cleanup of any other handle releases its reference, and
/// is ready at once. The first poll of its cleanup decides whether a handle is the last: exactly
/// one handle is, even if several are polled at the same time.
///
/// The guards of all handles are in the state `S` of the value's guard. [`clone`](Self::clone)
/// makes a guard in that state, too, and not in the state of the guard that it is called through.
/// A handle does not implement the trait [`Clone`], which would return a handle without a guard.
///
/// A handle gives access to `&T` only. For `&mut T`, share an
/// [`AsyncDropMutex`](crate::sync::AsyncDropMutex).
///
/// # Forgotten handles
///
/// A forgotten handle is reported to the [hook](crate::hook), as any guard is. It still releases
/// its reference, so another handle can clean up the value. If it was the last handle, the value is
/// dropped without its cleanup, and is reported, too.
///
/// # Cancel safety
///
/// The cleanup is cancel safe: after a cancellation the last handle owns the value, and the next
/// call starts the value's cleanup again. The value cannot be used or shared from then on:
/// [`clone`](Self::clone) and [`Deref`](std::ops::Deref) panic, and
/// [`upgrade`](AsyncDropWeak::upgrade) returns `None`. [`into_inner`](Self::into_inner) still
/// returns the guard, and its value can be used again. The value of an adopted guard cannot: its cleanup
/// can only be resumed, by the handle, by that guard or by the reaper.
///
/// # Errors
///
/// The cleanup of the last handle fails with the error of the value's cleanup. The cleanup of any
/// other handle cannot fail.
///
/// # Panics
///
/// If the handle is used, cloned or downgraded after its cleanup has begun.
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
/// first.async_drop().await?; // releases its reference
/// second.send("bye").await?;
/// second.async_drop().await?; // closes the connection
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
///
/// Checked at compile time, in a [`scope`](crate::scope()). The scope requires the proof of the
/// value, not of a handle, so the body takes the value out of the last handle:
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
///     let released = second.async_drop().await;
///     let Ok(connection) = AsyncDropArc::into_inner(first) else { panic!("the only handle") };
///     connection.async_drop().await.after(released.result.and(sent))
/// })
/// .await
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
#[must_use = "a handle that is dropped outside its guard may leave its value without cleanup"]
pub struct AsyncDropArc<T, S: State = Checked> {
    held: Held<T, S>,
}

impl<T, S: State> AsyncDropArc<T, S> {
    /// Shares the value of `guard`, and returns the first handle.
    ///
    /// If `guard` was cleaned up before, cleaning up the handles has no effect.
    ///
    /// As for `Arc`, the handles can be sent to other threads only if `T` is [`Sync`]. A value that is not `Sync`
    /// can be shared on one thread.
    #[track_caller]
    pub fn new(guard: AsyncDropGuard<T, S>) -> AsyncDropGuard<Self, S>
    where
        T: AsyncDrop,
        S: Cleanable<T> + LocallyCleanable<Self>,
    {
        Self::new_at(Origin::here(), guard)
    }

    /// As [`new`](Self::new), for a handle that was created elsewhere.
    pub(crate) fn new_at(
        origin: Origin<Self>,
        guard: AsyncDropGuard<T, S>,
    ) -> AsyncDropGuard<Self, S>
    where
        Self: AsyncDrop,
        S: LocallyCleanable<Self>,
    {
        Self::handle_at(origin, Arc::new(Watched::new(guard)))
    }

    /// Makes another handle, which must be cleaned up, too.
    ///
    /// # Panics
    ///
    /// If the cleanup of this handle has begun.
    #[expect(clippy::should_implement_trait, reason = "`Clone` would return no guard")]
    #[track_caller]
    pub fn clone(this: &Self) -> AsyncDropGuard<Self, S>
    where
        Self: AsyncDrop,
        S: LocallyCleanable<Self>,
    {
        Self::handle(Arc::clone(this.shared("cloned")))
    }

    /// Makes a reference that does not keep the value alive. It has no cleanup.
    ///
    /// The first call for a value allocates, for [`gone`](AsyncDropWeak::gone).
    ///
    /// # Panics
    ///
    /// If the cleanup of this handle has begun.
    #[track_caller]
    pub fn downgrade(this: &Self) -> AsyncDropWeak<T, S> {
        let shared = this.shared("downgraded");
        AsyncDropWeak { shared: Arc::downgrade(shared), waiters: shared.waiters() }
    }

    /// Takes the guarded value out if this is the only handle.
    ///
    /// After that, [`upgrade`](AsyncDropWeak::upgrade) returns `None`, and
    /// [`gone`](AsyncDropWeak::gone) is ready. If the cleanup of the last
    /// handle was cancelled, that handle is still the only one.
    ///
    /// # Errors
    ///
    /// If there are other handles, this returns `guard` unchanged. If two handles call this at the
    /// same time, both calls may fail: to be sure that one gets the value, await `async_drop` of
    /// the other handles first.
    ///
    /// # Panics
    ///
    /// If `guard` was cleaned up before, which a [`Checked`] or an adopted guard can be.
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

    /// Returns the number of handles. Another thread may change it before the caller reads it.
    ///
    /// It is 1 for the last handle once its cleanup has begun.
    #[must_use]
    pub fn strong_count(this: &Self) -> usize {
        match &this.held {
            Held::Shared(shared) => Arc::strong_count(shared),
            Held::Last(last) => usize::from(!last.slot.is_done()),
            Held::Gone => 0,
        }
    }

    /// Returns the number of [`AsyncDropWeak`]s. Another thread may change it before the caller
    /// reads it.
    ///
    /// It is 0 once the cleanup of this handle has begun, since none can be upgraded then.
    #[must_use]
    pub fn weak_count(this: &Self) -> usize {
        match &this.held {
            Held::Shared(shared) => Arc::weak_count(shared),
            Held::Last(_) | Held::Gone => 0,
        }
    }

    /// Returns whether both are handles of the same value.
    ///
    /// This is `false` once the cleanup of one of them has begun.
    #[must_use]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        match (&this.held, &other.held) {
            (Held::Shared(this), Held::Shared(other)) => Arc::ptr_eq(this, other),
            _ => false,
        }
    }

    /// Returns the address of the value. It stays the same until the cleanup of the last handle
    /// begins, or [`into_inner`](Self::into_inner) takes the value out.
    ///
    /// # Panics
    ///
    /// If the cleanup of this handle has begun.
    #[must_use]
    #[track_caller]
    pub fn as_ptr(this: &Self) -> *const T
    where
        S: Holds,
    {
        &raw const **this
    }

    /// Makes a handle without a guard.
    pub(super) fn from_shared(shared: Arc<Watched<T, S>>) -> Self {
        Self { held: Held::Shared(shared) }
    }

    /// Makes a handle in a guard.
    #[track_caller]
    pub(super) fn handle(shared: Arc<Watched<T, S>>) -> AsyncDropGuard<Self, S>
    where
        Self: AsyncDrop,
        S: LocallyCleanable<Self>,
    {
        Self::handle_at(Origin::here(), shared)
    }

    pub(super) fn handle_at(
        origin: Origin<Self>,
        shared: Arc<Watched<T, S>>,
    ) -> AsyncDropGuard<Self, S>
    where
        Self: AsyncDrop,
        S: LocallyCleanable<Self>,
    {
        let entry = shared.slot.entry().map(Registration::borrowed);
        AsyncDropGuard::wrapper(origin, Self::from_shared(shared), entry)
    }

    #[track_caller]
    fn shared(&self, attempt: &str) -> &Arc<Watched<T, S>> {
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
            "{attempt} a handle of {name} after its cleanup had begun; if the cleanup was \
             cancelled, call `async_drop` again, or take the value out with \
             `AsyncDropArc::into_inner`"
        )
    }
}

/// Releases the reference, and cleans up the value if this is the last handle.
impl<T: AsyncDrop, S: Cleanable<T>> AsyncDrop for AsyncDropArc<T, S> {
    type Error = T::Error;

    // Not by `#[async_trait]`: its future would hold the handle, which is `Send` only if `T` is `Sync`.
    fn async_drop_impl<'a, 'async_trait>(
        &'a mut self,
    ) -> BoxFuture<'async_trait, Result<(), T::Error>>
    where
        'a: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.async_drop_unboxed())
    }

    /// Releases the reference before it returns the future, for the same reason.
    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
        let last = self.held.release();
        async move {
            match last {
                Some(last) => clean(last).await,
                None => Ok(()),
            }
        }
    }
}

/// Dereferences to the value.
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

/// Shows the value, as [`Arc`](std::sync::Arc) does.
impl<T: fmt::Debug, S: Holds> fmt::Debug for AsyncDropArc<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.held {
            Held::Shared(shared) => fmt::Debug::fmt(&***shared, f),
            Held::Last(_) | Held::Gone => {
                write!(f, "<{}: cleanup has begun>", type_name::of::<T>())
            }
        }
    }
}

/// What a handle stores.
enum Held<T, S: State> {
    Shared(Arc<Watched<T, S>>),
    /// This is the last handle, and its cleanup has begun. Boxed, so that the size of a handle does
    /// not depend on the value.
    Last(Box<Watched<T, S::Owned>>),
    /// The handle has released its reference, or the value was taken out.
    Gone,
}

impl<T, S: State> Held<T, S> {
    /// Takes the guard out if this is the only handle.
    fn take_if_only(&mut self) -> Option<AsyncDropGuard<T, S>> {
        match std::mem::replace(self, Held::Gone) {
            Held::Shared(shared) => {
                let shared = Arc::try_unwrap(shared).map_err(|shared| *self = Held::Shared(shared));
                shared.ok().map(Watched::into_guard)
            }
            Held::Last(last) if last.slot.is_done() => None,
            Held::Last(last) => {
                S::Slot::from_owned(last.into_guard().slot).map(|slot| AsyncDropGuard { slot })
            }
            Held::Gone => None,
        }
    }

    /// Releases the reference. Returns the value's slot if this is the last handle.
    ///
    /// `Arc::into_inner` returns the value to exactly one of all handles. A check of the count, or
    /// an `Arc::try_unwrap` before the drop, would race: two handles could each take the other for
    /// the last one, and the value would never be cleaned up.
    fn release(&mut self) -> Option<&mut OwnedSlot<T, S>> {
        match std::mem::replace(self, Held::Gone) {
            Held::Shared(shared) => {
                let shared = Arc::into_inner(shared)?;
                *self = Held::Last(Box::new(shared.into_owned()));
            }
            released => *self = released,
        }
        match self {
            Held::Last(last) => Some(&mut last.get_mut().slot),
            _ => None,
        }
    }
}

/// A reference to the value of an [`AsyncDropArc`] that does not keep the value alive.
///
/// [`AsyncDropArc::downgrade`] makes it. It has no cleanup and no guard, so it can be dropped at
/// any time.
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
/// let mut connection = AsyncDropArc::new(AsyncDropGuard::new(Connection));
/// let cached = AsyncDropArc::downgrade(&connection);
///
/// if let Some(mut connection) = cached.upgrade() {
///     let sent = connection.send("hello").await;
///     connection.async_drop().await?; // a handle like any other
///     sent?;
/// }
///
/// connection.async_drop().await?;
/// assert!(cached.upgrade().is_none());
/// # Ok(())
/// # }
/// # futures::executor::block_on(f()).unwrap();
/// ```
///
/// ## A cache that reopens
///
/// A device that may be open only once at a time. The users of one connection share it. The next user opens
/// a new one, after the cleanup of the old one has ended: [`gone`](Self::gone) waits for that, also if a
/// user was cancelled and the reaper cleans up.
///
/// ```
/// use livedrop::sync::{AsyncDropArc, AsyncDropWeak};
/// use livedrop::{Adopted, AsyncDropGuard, ReaperHandle};
/// use tokio::sync::Mutex;
/// # use std::io;
/// # use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
/// # static IS_OPEN: AtomicBool = AtomicBool::new(false);
/// # struct Device;
/// # impl Device {
/// #     async fn open() -> io::Result<AsyncDropGuard<Device>> {
/// #         assert!(!IS_OPEN.swap(true, SeqCst), "open twice");
/// #         Ok(AsyncDropGuard::new(Device))
/// #     }
/// # }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Device {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> {
/// #         tokio::task::yield_now().await;
/// #         assert!(IS_OPEN.swap(false, SeqCst));
/// #         Ok(())
/// #     }
/// # }
///
/// static OPENED: Mutex<AsyncDropWeak<Device, Adopted>> = Mutex::const_new(AsyncDropWeak::new());
///
/// async fn device(
///     reaper: &ReaperHandle,
/// ) -> io::Result<AsyncDropGuard<AsyncDropArc<Device, Adopted>, Adopted>> {
///     let mut opened = OPENED.lock().await; // one caller opens at a time
///     if let Some(device) = opened.upgrade() {
///         return Ok(device);
///     }
///     opened.gone().await;
///     let device = AsyncDropArc::new(reaper.adopt(Device::open().await?));
///     *opened = AsyncDropArc::downgrade(&device);
///     Ok(device)
/// }
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut reaper = livedrop::Reaper::new();
/// # tokio::spawn(reaper.run());
/// # let users = (0..30).map(|user| {
/// #     let reaper = reaper.handle();
/// #     tokio::spawn(async move {
/// #         let mut device = device(&reaper).await.unwrap();
/// #         tokio::task::yield_now().await;
/// #         assert!(IS_OPEN.load(SeqCst));
/// #         if user % 2 == 0 {
/// #             device.async_drop().await.unwrap();
/// #         }
/// #     })
/// # });
/// # for user in users.collect::<Vec<_>>() {
/// #     user.await?;
/// # }
/// # reaper.async_drop().await?;
/// # assert!(!IS_OPEN.load(SeqCst));
/// # Ok(())
/// # }
/// ```
#[must_use = "a weak reference does nothing until it is upgraded"]
pub struct AsyncDropWeak<T, S: State = Checked> {
    shared: Weak<Watched<T, S>>,
    waiters: Weak<Waiters>,
}

impl<T, S: State> AsyncDropWeak<T, S> {
    /// Makes a reference to no value: [`upgrade`](Self::upgrade) always returns `None`, and
    /// [`gone`](Self::gone) is ready at once.
    pub const fn new() -> Self {
        Self { shared: Weak::new(), waiters: Weak::new() }
    }

    /// Makes another handle of the value, which must be cleaned up like any other.
    ///
    /// Returns `None` once the cleanup of the last handle has begun, even if it was cancelled, or
    /// once the value was taken out.
    #[must_use = "a handle that is dropped without its `async_drop` is reported as forgotten"]
    #[track_caller]
    pub fn upgrade(&self) -> Option<AsyncDropGuard<AsyncDropArc<T, S>, S>>
    where
        AsyncDropArc<T, S>: AsyncDrop,
        S: LocallyCleanable<AsyncDropArc<T, S>>,
    {
        self.upgrade_at(Origin::here())
    }

    /// As [`upgrade`](Self::upgrade), for a handle that was created elsewhere.
    pub(crate) fn upgrade_at(
        &self,
        origin: Origin<AsyncDropArc<T, S>>,
    ) -> Option<AsyncDropGuard<AsyncDropArc<T, S>, S>>
    where
        AsyncDropArc<T, S>: AsyncDrop,
        S: LocallyCleanable<AsyncDropArc<T, S>>,
    {
        self.shared.upgrade().map(|shared| AsyncDropArc::handle_at(origin, shared))
    }

    /// Returns the number of handles. Another thread may change it before the caller reads it.
    ///
    /// It is 0 once [`upgrade`](Self::upgrade) returns `None`.
    #[must_use]
    pub fn strong_count(&self) -> usize {
        self.shared.strong_count()
    }

    /// Waits until the value is gone: its cleanup has ended, and it is dropped.
    ///
    /// Await this before a new value replaces the old one, so that the two never overlap: see
    /// [the example](AsyncDropWeak#a-cache-that-reopens). After it, [`upgrade`](Self::upgrade) returns
    /// `None`. The future borrows nothing, and does not keep the value alive.
    ///
    /// It is ready:
    ///
    /// - after the cleanup of the last handle has ended, with success, with an error or with a panic. If
    ///   that cleanup was cancelled, this waits until it is called again, or the handle is dropped;
    /// - if the last handle of an [adopted](crate::Adopted) value was dropped: after the reaper has ended
    ///   the cleanup, or has dropped the value because it was [abandoned](crate::Reaper::abandon) or lost.
    ///   If the cleanup fails, the hook can be told of that shortly after;
    /// - if the last handle of another value was dropped, and reported as forgotten: after the value is
    ///   dropped. Adopted guards among its fields go to their reapers, and this does not wait for them;
    /// - if [`into_inner`](AsyncDropArc::into_inner) took the value out: at once. The guard that it returned
    ///   still owes the cleanup, and this does not wait for it;
    /// - if this is a reference to no value: at once.
    ///
    /// If the value is a helper around one adopted guard, such as an
    /// [`AsyncDropMutex`](crate::sync::AsyncDropMutex), this waits for the cleanup of that guard.
    ///
    /// It waits forever if the caller holds a handle, if a handle was leaked, or if nothing polls the
    /// reaper's [`run`](crate::Reaper::run) or `drain`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only waits.
    pub fn gone(&self) -> Gone {
        Gone::new(&self.waiters)
    }

    /// Returns whether [`gone`](Self::gone) is ready at once. It wakes nobody, so it can be called under a lock.
    pub(crate) fn is_gone(&self) -> bool {
        self.waiters.strong_count() == 0
    }

    /// Returns whether both refer to the same value, or both to no value.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.shared.ptr_eq(&other.shared)
    }
}

impl<T, S: State> Clone for AsyncDropWeak<T, S> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), waiters: self.waiters.clone() }
    }
}

impl<T, S: State> Default for AsyncDropWeak<T, S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, S: State> fmt::Debug for AsyncDropWeak<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(AsyncDropWeak)")
    }
}
