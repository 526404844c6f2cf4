//! The error of a cleanup whose type is not known any more.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Debug, Display};

/// The error of one of the cleanups of an [`AsyncDropStack`](crate::collections::AsyncDropStack), with the
/// type of the value that was to be cleaned up.
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

    /// The type of the value, without the paths.
    #[must_use = "it only names"]
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The error itself, if it is an `E`.
    #[must_use = "it only looks"]
    pub fn downcast_ref<E: 'static>(&self) -> Option<&E> {
        // The box is an `AnyError` as well: this must be the error in it.
        let error: &dyn AnyError = &*self.error;
        error.as_any().downcast_ref()
    }

    /// The error itself, if it is an `E`.
    ///
    /// # Errors
    ///
    /// If it is of another type, this comes back.
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn downcast<E: 'static>(self) -> Result<E, Self> {
        if self.downcast_ref::<E>().is_none() {
            return Err(self);
        }
        Ok(*self.error.into_any().downcast().expect("`downcast_ref` found an `E`"))
    }
}

/// The type of the value, and the `Debug` of the error.
impl Display for ErasedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.type_name, self.error)
    }
}

/// As its `Display`; with `{:#?}`, the error's own `{:#?}`.
impl Debug for ErasedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.type_name)?;
        self.error.fmt(f)
    }
}

impl Error for ErasedError {}

/// An error of any type. The methods are there since upcasting needs Rust 1.86.
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
