//! `TempDir`: a temporary directory that its cleanup removes.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::task::spawn_blocking;

use super::buffered::{Blocking, removed};
use crate::errors::failed_to;
use crate::guard::Origin;
use crate::{AsyncDrop, AsyncDropGuard};

/// Creates a directory with a unique name in [`std::env::temp_dir`], and returns a guard whose cleanup
/// removes it, with its content.
///
/// # Errors
///
/// If the directory cannot be created. The error names the path.
///
/// # Cancel safety
///
/// Cancel safe: if the future is dropped, the directory is removed in the background.
///
/// # Examples
///
/// ```
/// use livedrop::{fs, with_async_drop};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let folder = fs::tempdir().await?;
/// let path = folder.path().to_owned();
/// with_async_drop(folder, async |folder| {
///     tokio::fs::write(folder.path().join("part"), "content").await
/// })
/// .await?;
/// assert!(!path.exists());
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn tempdir() -> impl Future<Output = io::Result<AsyncDropGuard<TempDir>>> {
    tempdir_in(std::env::temp_dir())
}

/// Creates a directory with a unique name in `parent`, and returns a guard whose cleanup removes it, with
/// its content.
///
/// # Errors
///
/// As [`tempdir`].
///
/// # Cancel safety
///
/// As [`tempdir`].
#[track_caller]
pub fn tempdir_in(
    parent: impl AsRef<Path>,
) -> impl Future<Output = io::Result<AsyncDropGuard<TempDir>>> {
    let origin = Origin::here();
    let parent = parent.as_ref().to_owned();
    async move {
        let made = spawn_blocking(move || {
            tempfile::tempdir_in(&parent).map_err(|error| {
                failed_to(format_args!("create a directory in {}", parent.display()), &error)
            })
        });
        let dir = made.await??;
        let path = dir.path().to_owned();
        let dir = TempDir { path, dir: Some(dir), removal: Blocking::default() };
        Ok(AsyncDropGuard::new_at(origin, dir))
    }
}

/// A temporary directory. [`tempdir`] makes it.
///
/// The cleanup removes the directory and its content. Once it has begun, the content may be gone.
///
/// If the value is dropped without its cleanup, its `Drop` removes the directory, blocks the thread
/// meanwhile, and ignores errors. This happens if the guard is forgotten, or if a reaper abandons it.
///
/// # Errors
///
/// The cleanup fails if the directory cannot be removed. The error names the path. It is no error if the
/// directory is gone already.
///
/// # Cancel safety
///
/// The cleanup is cancel safe: the removal goes on, and the next call awaits it.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
    /// `None` once the removal has begun.
    dir: Option<tempfile::TempDir>,
    removal: Blocking,
}

impl TempDir {
    /// Returns the path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the directory, and returns its path. Call it on the value that
    /// [`into_inner_without_cleanup`](AsyncDropGuard::into_inner_without_cleanup) returns.
    #[must_use = "the path is needed to find the directory"]
    pub fn keep(mut self) -> PathBuf {
        if let Some(dir) = &mut self.dir {
            dir.disable_cleanup(true);
        }
        self.path
    }
}

impl AsRef<Path> for TempDir {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

// Excluded from rustc's list of implementations, so that messages do not depend on features.
#[diagnostic::do_not_recommend]
#[async_trait]
impl AsyncDrop for TempDir {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        if let Some(mut dir) = self.dir.take() {
            self.removal.start(move || {
                dir.disable_cleanup(true);
                removed(std::fs::remove_dir_all(dir.path()))
            });
        }
        let removed = self.removal.finish().await;
        removed.map_err(|error| failed_to(format_args!("remove {}", self.path.display()), &error))
    }
}
