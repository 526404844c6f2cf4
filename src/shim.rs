//! The synchronisation primitives of the crate: the standard library's, or, under `cfg(shuttle)`,
//! primitives that the model tests can interrupt at every step.

use std::sync::PoisonError;
#[cfg(not(shuttle))]
pub(crate) use std::sync::{Arc, Mutex, Weak};
#[cfg(not(shuttle))]
use std::thread;
#[cfg(not(shuttle))]
pub(crate) use std::thread::ThreadId;

#[cfg(shuttle)]
pub(crate) use model::{Arc, Weak};
#[cfg(shuttle)]
pub(crate) use shuttle::sync::Mutex;
#[cfg(shuttle)]
use shuttle::thread;
#[cfg(shuttle)]
pub(crate) use shuttle::thread::ThreadId;

/// The thread that calls this.
pub(crate) fn thread_id() -> ThreadId {
    thread::current().id()
}

/// Makes any value `Sync`, because it gives access by `&mut` only. The mutex is never locked, so it is
/// never poisoned.
#[derive(Default)]
pub(crate) struct SyncWrapper<T>(std::sync::Mutex<T>);

impl<T> SyncWrapper<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `Arc` and `Weak` with a scheduling point before every use of their counts. Shuttle re-exports
/// the `Arc` of the standard library, whose counts its schedulers do not see.
#[cfg(shuttle)]
mod model {
    use std::ops::Deref;
    use std::sync;

    use shuttle::sync::atomic::{AtomicBool, Ordering};

    /// Lets the scheduler switch to any thread.
    fn step() {
        AtomicBool::new(false).load(Ordering::SeqCst);
    }

    /// `None` once `into_inner` or `try_unwrap` has consumed the handle.
    pub(crate) struct Arc<T>(Option<sync::Arc<T>>);

    impl<T> Arc<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Some(sync::Arc::new(value)))
        }

        pub(crate) fn into_inner(mut this: Self) -> Option<T> {
            step();
            this.0.take().and_then(sync::Arc::into_inner)
        }

        pub(crate) fn try_unwrap(mut this: Self) -> Result<T, Self> {
            step();
            sync::Arc::try_unwrap(
                this.0.take().expect("only methods that consume the handle leave `None`"),
            )
            .map_err(|shared| Self(Some(shared)))
        }

        pub(crate) fn downgrade(this: &Self) -> Weak<T> {
            step();
            Weak(sync::Arc::downgrade(this.shared()))
        }

        pub(crate) fn strong_count(this: &Self) -> usize {
            step();
            sync::Arc::strong_count(this.shared())
        }

        pub(crate) fn weak_count(this: &Self) -> usize {
            step();
            sync::Arc::weak_count(this.shared())
        }

        pub(crate) fn ptr_eq(this: &Self, other: &Self) -> bool {
            sync::Arc::ptr_eq(this.shared(), other.shared())
        }

        fn shared(&self) -> &sync::Arc<T> {
            self.0.as_ref().expect("only methods that consume the handle leave `None`")
        }
    }

    impl<T> Clone for Arc<T> {
        fn clone(&self) -> Self {
            step();
            Self(self.0.clone())
        }
    }

    impl<T> Deref for Arc<T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.shared()
        }
    }

    impl<T> Drop for Arc<T> {
        fn drop(&mut self) {
            if self.0.is_some() {
                step();
            }
        }
    }

    pub(crate) struct Weak<T>(sync::Weak<T>);

    impl<T> Weak<T> {
        pub(crate) const fn new() -> Self {
            Self(sync::Weak::new())
        }

        pub(crate) fn upgrade(&self) -> Option<Arc<T>> {
            step();
            self.0.upgrade().map(|shared| Arc(Some(shared)))
        }

        pub(crate) fn strong_count(&self) -> usize {
            step();
            self.0.strong_count()
        }

        pub(crate) fn ptr_eq(&self, other: &Self) -> bool {
            self.0.ptr_eq(&other.0)
        }
    }

    impl<T> Clone for Weak<T> {
        fn clone(&self) -> Self {
            step();
            Self(self.0.clone())
        }
    }
}
