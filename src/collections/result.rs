//! `AsyncDropResult`: a guard or an error.

use std::fmt::{self, Debug};

use async_trait::async_trait;

use crate::guard::{Origin, Slot, clean_in_place};
use crate::reaper::Registration;
use crate::state::{Cleanable, Holds, State};
use crate::{AsyncDrop, AsyncDropGuard, Checked, type_name};

/// A `Result` of a guard that is guarded itself, so that it can be stored wherever a guard can.
///
/// Its cleanup cleans up the guard inside. The cleanup of an `Err` does nothing. `S` is the state
/// of the guard inside, and of the guard around the result.
///
/// # Cancel safety
///
/// The cleanup is cancel safe: after a cancellation, this still holds the guard, and the next call
/// cleans it up.
///
/// # Panics
///
/// If it is used after its cleanup, as every guarded value.
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
#[must_use = "dropping this outside its guard drops the guard inside without its cleanup"]
pub struct AsyncDropResult<T, E, S: State = Checked> {
    /// `Ok(None)` once the cleanup of the guard has ended.
    result: Result<Option<AsyncDropGuard<T, S>>, E>,
}

impl<T: AsyncDrop, E: Send, S: Cleanable<T>> AsyncDropResult<T, E, S> {
    /// Guards `result`, in the state `S` of the guard inside.
    ///
    /// An `Err` has no cleanup, so it is registered with no reaper. If `S` is [`Adopted`](crate::Adopted), its
    /// guard is not reported if it is forgotten; a [`Checked`] or [`Live`](crate::Live) one is.
    // An `Err` consumes no guard with the brand of `S`. The rule of brands (`ARCHITECTURE.md`)
    // allows that, since the value's type mentions the brand.
    #[track_caller]
    pub fn new(result: Result<AsyncDropGuard<T, S>, E>) -> AsyncDropGuard<Self, S>
    where
        S: Cleanable<Self>,
    {
        let entry = result.as_ref().ok().and_then(|guard| guard.slot.entry());
        let entry = entry.map(Registration::borrowed);
        AsyncDropGuard::wrapper(Origin::here(), Self { result: result.map(Some) }, entry)
    }
}

impl<T, E, S: Holds> AsyncDropResult<T, E, S> {
    /// Returns a reference to the value, if this is `Ok`.
    pub fn ok(&self) -> Option<&T> {
        self.as_inner().ok().map(|guard| &**guard)
    }

    /// Returns a mutable reference to the value, if this is `Ok`.
    pub fn ok_mut(&mut self) -> Option<&mut T> {
        let guard = self.result.as_mut().ok()?;
        Some(&mut *guard.as_mut().unwrap_or_else(|| Self::gone()))
    }

    /// Returns a reference to the error, if this is `Err`.
    pub fn err(&self) -> Option<&E> {
        self.result.as_ref().err()
    }

    /// Returns a reference to the guard or the error.
    ///
    /// # Errors
    ///
    /// The stored error, if this is `Err`.
    pub fn as_inner(&self) -> Result<&AsyncDropGuard<T, S>, &E> {
        self.result.as_ref().map(|guard| guard.as_ref().unwrap_or_else(|| Self::gone()))
    }

    /// Takes the result out of its guard. From then on, only the guard inside owes a cleanup.
    ///
    /// # Errors
    ///
    /// The stored error, if this is `Err`.
    ///
    /// # Panics
    ///
    /// If it was cleaned up before, which a [`Checked`] or an adopted guard can be.
    #[track_caller]
    pub fn into_inner<G: Holds>(guard: AsyncDropGuard<Self, G>) -> Result<AsyncDropGuard<T, S>, E> {
        let inner = guard.into_value().result;
        inner.map(|guard| guard.unwrap_or_else(|| Self::gone()))
    }

    /// Reached only if a caller called `async_drop_impl` directly, instead of through the guard.
    #[cold]
    #[track_caller]
    fn gone() -> ! {
        panic!("used {} after its cleanup", type_name::of::<Self>());
    }
}

/// Cleans up the guard, if this is `Ok`.
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
