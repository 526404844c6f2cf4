//! `AtomicFile`: a file that replaces another one at once, or not at all.

use std::io;
use std::path::{Path, PathBuf, absolute};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWrite;
use tokio::task::spawn_blocking;

use super::buffered::{Blocking, Buffered, forward_to_buffered, removed};
use crate::errors::failed_to;
use crate::guard::Origin;
use crate::{AsyncDrop, AsyncDropGuard};

/// Creates a file that can replace the one at `path`, and returns a guard whose cleanup discards it.
///
/// End the guard by `async_drop_via(AtomicFile::persist)` to replace the file at `path`. Until then the new
/// content is in a hidden file in the same directory.
///
/// The new file has the permissions of the old one, and those of any new file if there is no old one. It does
/// not take over the owner and other attributes. If `path` is a symbolic link, the new file replaces the link.
///
/// # Errors
///
/// If the file cannot be created, or if there is something at `path` that is not a file. The error names the
/// path.
///
/// # Cancel safety
///
/// Cancel safe: if the future is dropped, the new file is removed in the background.
///
/// # Examples
///
/// ```
/// use livedrop::fs::{self, AtomicFile};
/// use livedrop::{AsyncDropGuard, scope, try_or_drop};
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let mut folder = fs::tempdir().await?;
/// # let path = folder.path().join("settings");
/// let Ok(file) = AsyncDropGuard::into_live(fs::replace(&path).await?) else { unreachable!() };
/// scope!(file, async |mut file| {
///     try_or_drop!(file, file.write_all(b"colour = blue\n").await); // keeps the old file if this fails
///     file.async_drop_via(AtomicFile::persist).await
/// })
/// .await?;
/// assert_eq!(tokio::fs::read(&path).await?, b"colour = blue\n");
/// # folder.async_drop().await
/// # }
/// ```
#[track_caller]
pub fn replace(
    path: impl AsRef<Path>,
) -> impl Future<Output = io::Result<AsyncDropGuard<AtomicFile>>> {
    let origin = Origin::here();
    let path = path.as_ref().to_owned();
    async move {
        let made = spawn_blocking(move || {
            beside(&path)
                .map_err(|error| failed_to(format_args!("replace {}", path.display()), &error))
        });
        let (made, path) = made.await??;
        let (file, temp) = made.into_parts();
        let file = Buffered::new(file.into());
        let file = AtomicFile { file, temp: Some(temp), path, removal: Blocking::default() };
        Ok(AsyncDropGuard::new_at(origin, file))
    }
}

/// Creates a file in the directory of `path`, and returns the absolute path, too.
fn beside(path: &Path) -> io::Result<(NamedTempFile, PathBuf)> {
    let path = absolute(path)?;
    let (Some(parent), Some(_)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let old = match std::fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        old => Some(old?),
    };
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let builder = &mut tempfile::Builder::new();
    // The process's mask applies, as for any new file. If there is an old file, the new one is private at first:
    // nobody who may not read the old one can open it.
    #[cfg(unix)]
    let builder = match old {
        Some(_) => builder,
        None => builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)),
    };
    let file = builder.tempfile_in(parent)?;
    if let Some(old) = old {
        file.as_file().set_permissions(old.permissions())?;
    }
    Ok((file, path))
}

/// A file that replaces another one at once, or not at all. [`replace`] makes it.
///
/// The cleanup discards it: it removes the new file, and the old one stays as it is. If the value is
/// dropped without its cleanup, its `Drop` removes the new file.
///
/// # Errors
///
/// The cleanup fails if the new file cannot be removed. The error names the path. It is no error if the
/// new file is gone already.
///
/// # Cancel safety
///
/// The cleanup is cancel safe: the removal goes on, and the next call awaits it.
#[derive(Debug)]
pub struct AtomicFile {
    file: Buffered,
    /// `None` once the removal has begun.
    temp: Option<TempPath>,
    path: PathBuf,
    removal: Blocking,
}

impl AtomicFile {
    /// Returns the absolute path of the file that this one can replace.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file at the path: flushes and syncs the new file, renames it, and syncs the
    /// directory. Readers see the old or the new content at any time.
    ///
    /// It is for [`async_drop_via`](AsyncDropGuard::async_drop_via).
    ///
    /// # Errors
    ///
    /// If the file cannot be written, synced or renamed, or if an earlier write has failed. The old file then
    /// stays as it is, and the new one is removed. If only the directory cannot be synced, the new file is in
    /// place, and may be lost if the system crashes. The error names the path.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the file at the path has the old or the new content: the rename may go on in
    /// the background. No other file is left. If a reaper backs the guard, the reaper replaces the file.
    pub async fn persist(self) -> io::Result<()> {
        let Self { mut file, temp, path, .. } = self;
        let target = path.clone();
        let replaced = async move {
            let temp = temp.ok_or_else(|| io::Error::other("the new file was discarded"))?;
            file.flush_and_sync().await?;
            // Some systems do not rename an open file.
            drop(file);
            // One operation, so that the new file is removed or in place if this is cancelled.
            spawn_blocking(move || {
                temp.persist(&target).map_err(|error| error.error)?;
                sync_directory(&target)
            })
            .await?
        };
        let replaced = replaced.await;
        replaced.map_err(|error| failed_to(format_args!("replace {}", path.display()), &error))
    }
}

/// Syncs the directory of a file, so that a new name in it survives a crash.
#[cfg(unix)]
fn sync_directory(file: &Path) -> io::Result<()> {
    let directory = file.parent().expect("an absolute path of a file has a parent");
    std::fs::File::open(directory)?.sync_all()
}

/// Other systems cannot sync a directory.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

forward_to_buffered!(AtomicFile);

// Excluded from rustc's list of implementations, so that messages do not depend on features.
#[diagnostic::do_not_recommend]
#[async_trait]
impl AsyncDrop for AtomicFile {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        if let Some(temp) = self.temp.take() {
            self.removal.start(move || removed(temp.close()));
        }
        let removed = self.removal.finish().await;
        let path = self.path.display();
        removed.map_err(|error| failed_to(format_args!("discard the new {path}"), &error))
    }
}
