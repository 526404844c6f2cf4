//! `File`: a buffered file that its cleanup flushes and syncs.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use tokio::fs::OpenOptions;
use tokio::io::AsyncWrite;

use super::buffered::{Buffered, forward_to_buffered};
use crate::errors::failed_to;
use crate::guard::Origin;
use crate::{AsyncDrop, AsyncDropGuard};

/// Creates a file for writing, or truncates it if it exists, and returns a guard whose cleanup flushes and
/// syncs the file.
///
/// # Errors
///
/// If the file cannot be created. The error names the path.
///
/// # Cancel safety
///
/// Not cancel safe: if the future is dropped, the file may have been created or truncated.
///
/// # Examples
///
/// ```
/// use livedrop::{fs, with_async_drop};
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let mut folder = fs::tempdir().await?;
/// # let path = folder.path().join("journal");
/// let journal = fs::create(&path).await?;
/// with_async_drop(journal, async |journal| journal.write_all(b"a line\n").await).await?;
/// assert_eq!(tokio::fs::read(&path).await?, b"a line\n");
/// # folder.async_drop().await
/// # }
/// ```
#[track_caller]
pub fn create(path: impl AsRef<Path>) -> impl Future<Output = io::Result<AsyncDropGuard<File>>> {
    open(path, OpenOptions::new().write(true).create(true).truncate(true))
}

/// Opens a file with these options, and returns a guard whose cleanup flushes and syncs the file.
///
/// # Errors
///
/// If the file cannot be opened. The error names the path.
///
/// # Cancel safety
///
/// If the future is dropped, the file may have been created or truncated, as the options say.
///
/// # Examples
///
/// ```
/// use livedrop::{fs, with_async_drop};
/// use tokio::fs::OpenOptions;
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let mut folder = fs::tempdir().await?;
/// # let path = folder.path().join("journal");
/// let mut journal = fs::open(&path, OpenOptions::new().create(true).append(true)).await?;
/// journal.write_all(b"a line\n").await?;
/// journal.async_drop().await?;
/// # folder.async_drop().await
/// # }
/// ```
#[track_caller]
pub fn open<P: AsRef<Path>>(
    path: P,
    options: &OpenOptions,
) -> impl Future<Output = io::Result<AsyncDropGuard<File>>> + use<P> {
    let origin = Origin::here();
    let (path, options) = (path.as_ref().to_owned(), options.clone());
    async move {
        let opened = options.open(&path).await;
        let file =
            opened.map_err(|error| failed_to(format_args!("open {}", path.display()), &error))?;
        Ok(AsyncDropGuard::new_at(origin, File { file: Buffered::new(file), path }))
    }
}

/// A file with a buffer. [`create`] and [`open`] make it.
///
/// The cleanup writes the buffer to the file, and syncs the file to the disk. It does not sync the
/// directory that the file is in.
///
/// If the value is dropped without its cleanup, the content of the buffer is lost.
///
/// # Errors
///
/// The cleanup fails if the file cannot be written or synced, for example because the disk is full. It also
/// fails if an earlier write has failed, even if that error was ignored. The error names the path. A write
/// or a flush may return the error of an earlier write, because the file is written in the background.
///
/// # Cancel safety
///
/// The cleanup is cancel safe: the next call awaits the sync that the first one began. If the file was
/// written to meanwhile, it is synced again.
#[derive(Debug)]
pub struct File {
    file: Buffered,
    path: PathBuf,
}

impl File {
    /// Returns the path that the file was opened with.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

forward_to_buffered!(File);

// Excluded from rustc's list of implementations, so that messages do not depend on features.
#[diagnostic::do_not_recommend]
#[async_trait]
impl AsyncDrop for File {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        let synced = self.file.flush_and_sync().await;
        synced.map_err(|error| failed_to(format_args!("write {}", self.path.display()), &error))
    }
}
