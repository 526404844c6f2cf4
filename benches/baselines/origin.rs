//! The message of the drop bombs of all baselines: the type, and the creation site in the same builds
//! in which the library's guards keep it.

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

    /// Panics, or prints a line if the thread already panics.
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
