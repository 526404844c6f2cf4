//! What the drop bombs of all twins say: the type, and the creation site in builds that keep it,
//! which are those in which the library's guards do.

#[cfg(debug_assertions)]
use std::panic::Location;

#[derive(Clone, Copy)]
pub(crate) struct Origin {
    #[cfg(debug_assertions)]
    created_at: &'static Location<'static>,
}

impl Origin {
    #[track_caller]
    pub(crate) fn here() -> Self {
        Self {
            #[cfg(debug_assertions)]
            created_at: Location::caller(),
        }
    }

    /// Panics, or prints a line where that would be the second panic.
    #[cold]
    pub(crate) fn forgotten(self, name: &str) {
        #[cfg(debug_assertions)]
        let message = format!("forgot to close {name} (created at {})", self.created_at);
        #[cfg(not(debug_assertions))]
        let message = format!("forgot to close {name}");
        assert!(std::thread::panicking(), "{message}");
        eprintln!("{message}");
    }
}
