//! What those get who await a shared future that panicked.

use std::error::Error;
use std::fmt::{self, Display};
use std::sync::Arc;

use crate::caught::{self, Payload};

/// The future of an [`AsyncDropShared`](crate::AsyncDropShared) panicked: there is no value, and
/// there never will be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPanicked {
    message: Arc<str>,
}

impl TaskPanicked {
    #[cold]
    pub(super) fn new(payload: Payload) -> Self {
        let message = caught::message(&payload).into();
        caught::discard(payload);
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
