//! `AsyncDropResult`: a guard, or the error that came instead of one.

use std::fmt::{self, Debug};

use async_trait::async_trait;

use crate::guard::{Origin, Slot, clean_in_place};
use crate::state::{Cleanable, Holds, State};
use crate::{AsyncDrop, AsyncDropGuard, Checked, type_name};

/// A `Result` of a guard that can be guarded itself, and so be kept wherever a guard can.
///
/// Its cleanup is that of the guard inside; of an `Err` it does nothing. `S` is the state of the
/// guard inside, and that of the guard around the result.
///
/// # Cancel safety
///
/// As of the guard inside: if a cleanup is cancelled, the guard is still in here, and the next
/// one cleans it up.
///
/// # Panics
///
/// After its cleanup, as every guarded value does.
///
/// # Examples
///
/// ```
/// use livedrop::collections::AsyncDropResult;
/// use livedrop::AsyncDropGuard;
/// # use std::io;
/// # struct Connection { port: u16 }
/// # #[async_trait::async_trait]
/// # impl livedrop::AsyncDrop for Connection {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn connect() -> Result<AsyncDropGuard<Connection>, String> { Ok(AsyncDropGuard::new(Connection { port: 1 })) }
/// # async fn connect_live() -> Result<AsyncDropGuard<Connection, livedrop::Live>, String> { Err("refused".into()) }
/// # futures::executor::block_on(async {
/// let mut connection = AsyncDropResult::new(connect().await);
/// if let Some(connection) = connection.ok() {
///     assert_eq!(connection.port, 1);
/// }
/// connection.async_drop().await?;
///
/// let connection = AsyncDropResult::new(connect_live().await);
/// assert_eq!(connection.err(), Some(&"refused".to_owned()));
/// connection.async_drop().await.result?;
/// # Ok::<(), io::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "the guard inside is dropped without its cleanup, and panics"]
pub struct AsyncDropResult<T, E, S: State = Checked> {
    /// The guard is gone once its cleanup has ended.
    result: Result<Option<AsyncDropGuard<T, S>>, E>,
}

impl<T: AsyncDrop, E: Send, S: Cleanable<T>> AsyncDropResult<T, E, S> {
    /// Guards the result, in the state of the guard in it.
    ///
    /// An `Err` of [`Adopted`](crate::Adopted) guards has nothing for a reaper to do: its guard
    /// behaves as a [`Checked`] one.
    // The brand of a scope may come from nothing here: it stands in the value's type as well.
    #[track_caller]
    pub fn new(result: Result<AsyncDropGuard<T, S>, E>) -> AsyncDropGuard<Self, S>
    where
        S: Cleanable<Self>,
    {
        let origin = Origin::here();
        let inner = result.as_ref().ok().and_then(|guard| guard.slot.registration());
        let registration = inner.and_then(|inner| inner.register_wrapper(origin));
        AsyncDropGuard::owing(origin, Self { result: result.map(Some) }, registration)
    }
}

impl<T, E, S: Holds> AsyncDropResult<T, E, S> {
    /// The value, if there is one.
    pub fn ok(&self) -> Option<&T> {
        self.as_inner().ok().map(|guard| &**guard)
    }

    /// The value, if there is one, to be changed.
    pub fn ok_mut(&mut self) -> Option<&mut T> {
        let guard = self.result.as_mut().ok()?;
        Some(&mut *guard.as_mut().unwrap_or_else(|| Self::gone()))
    }

    /// The error, if there is one.
    pub fn err(&self) -> Option<&E> {
        self.result.as_ref().err()
    }

    /// The guard or the error.
    ///
    /// # Errors
    ///
    /// If there is one in here.
    pub fn as_inner(&self) -> Result<&AsyncDropGuard<T, S>, &E> {
        self.result.as_ref().map(|guard| guard.as_ref().unwrap_or_else(|| Self::gone()))
    }

    /// Takes the result out of its guard. What it owes is then owed by the guard in it.
    ///
    /// # Errors
    ///
    /// If there is one in here.
    ///
    /// # Panics
    ///
    /// If it was cleaned up before, which only a [`Checked`] guard can be.
    #[track_caller]
    pub fn into_inner<G: Holds>(guard: AsyncDropGuard<Self, G>) -> Result<AsyncDropGuard<T, S>, E> {
        let inner = guard.into_value().result;
        inner.map(|guard| guard.unwrap_or_else(|| Self::gone()))
    }

    /// Where somebody called the cleanup behind the guard's back.
    #[cold]
    #[track_caller]
    fn gone() -> ! {
        panic!("used {} after its cleanup", type_name::of::<Self>());
    }
}

/// Cleans the guard up if there is one.
#[async_trait]
impl<T: AsyncDrop, E: Send, S: Cleanable<T>> AsyncDrop for AsyncDropResult<T, E, S> {
    type Error = T::Error;

    async fn async_drop_impl(&mut self) -> Result<(), T::Error> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
        async move {
            match &mut self.result {
                Ok(guard) => clean_in_place(guard).await,
                Err(_) => Ok(()),
            }
        }
    }
}

impl<T: Debug, E: Debug, S: Holds> Debug for AsyncDropResult<T, E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Ok(Some(guard)) => f.debug_tuple("Ok").field(guard).finish(),
            Ok(None) => write!(f, "<{}: cleaned up>", type_name::of::<T>()),
            Err(error) => f.debug_tuple("Err").field(error).finish(),
        }
    }
}
