//! Files and directories in guards: a buffered file that is flushed and synced, a temporary directory that
//! is removed, and a file that replaces another one at once or not at all.
//!
//! They use tokio's threads for blocking operations, so this needs the feature `fs`, and a tokio runtime.
//!
//! | you need | use | its cleanup |
//! |---|---|---|
//! | a file whose content is on disk in the end | [`create`], [`open`] | flushes and syncs it |
//! | a temporary directory | [`tempdir`], [`tempdir_in`] | removes it, with its content |
//! | to replace a file, so that readers see the old or the new content | [`replace`], and in the end [`AtomicFile::persist`] | discards the new content |
//!
//! # Panics
//!
//! Everything here panics if it is polled outside a tokio runtime, a cleanup too. So spawn the
//! [`run`](crate::Reaper::run) of a reaper on the runtime.
//!
//! # Cancel safety
//!
//! A blocking operation goes on if the cleanup that began it is cancelled. The next call of the cleanup
//! awaits the same operation, and returns its result.

mod atomic_file;
mod buffered;
mod file;
mod temp_dir;

pub use atomic_file::{AtomicFile, replace};
pub use file::{File, create, open};
pub use temp_dir::{TempDir, tempdir, tempdir_in};
