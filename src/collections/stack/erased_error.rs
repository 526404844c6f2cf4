//! `ErasedError`: the error of one cleanup of a stack, without its type.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Debug, Display};

/// An error from the cleanup of an [`AsyncDropStack`](crate::collections::AsyncDropStack), with the
/// name of the value's type.
///
/// # Examples
///
/// ```
/// use std::io;
/// use livedrop::collections::AsyncDropStack;
///
/// # futures::executor::block_on(async {
/// let mut stack = AsyncDropStack::new();
/// stack.defer(async { Err(io::Error::other("disk full")) });
/// let error = stack.async_drop().await.unwrap_err().into_first();
/// assert!(error.to_string().contains("disk full"));
/// assert_eq!(error.downcast::<io::Error>().unwrap().kind(), io::ErrorKind::Other);
/// # });
/// ```
pub struct ErasedError {
    type_name: String,
    error: Box<dyn AnyError>,
}

impl ErasedError {
    pub(super) fn new(type_name: String, error: impl Debug + Send + Sync + 'static) -> Self {
        Self { type_name, error: Box::new(error) }
    }

    /// Returns the name of the value's type, without paths.
    #[must_use]
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// Returns a reference to the error, if it is an `E`.
    #[must_use]
    pub fn downcast_ref<E: 'static>(&self) -> Option<&E> {
        // The box itself implements `AnyError`, too. Dereference it, to downcast the error inside.
        let error: &dyn AnyError = &*self.error;
        error.as_any().downcast_ref()
    }

    /// Returns the error, if it is an `E`.
    ///
    /// # Errors
    ///
    /// If the error has another type, this returns `self`.
    #[expect(clippy::missing_panics_doc, reason = "it never panics")]
    pub fn downcast<E: 'static>(self) -> Result<E, Self> {
        if self.downcast_ref::<E>().is_none() {
            return Err(self);
        }
        Ok(*self.error.into_any().downcast().expect("`downcast_ref` found an `E`"))
    }
}

/// Shows the name of the value's type, and the error by its `Debug`.
impl Display for ErasedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.type_name, self.error)
    }
}

/// Shows the same as `Display`. `{:#?}` shows the error by its own `{:#?}`.
impl Debug for ErasedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.type_name)?;
        self.error.fmt(f)
    }
}

impl Error for ErasedError {}

/// An error of any type. It has methods to upcast, since upcasting to `dyn Any` needs Rust 1.86.
trait AnyError: Debug + Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<E: Any + Debug + Send + Sync> AnyError for E {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
